"""Training in two processes, against one with the doubled batch."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from evonas.supernet import SupernetSettings, parallel, train_supernet
from evonas.supernet.rules.disturbance import DisturbanceImmune

TOYS = Path(__file__).with_name("conftest.py")
RULES = {
    "uniform": "uniform",
    "nsas": "nsas",
    "gradient-space": "gradient-space",
    "immune": partial(DisturbanceImmune, alpha=0.1, patches="mean", strength="constant"),
}
SCRIPT = """
import runpy, sys
from pathlib import Path
import torch
from torch import distributed
from safetensors.torch import save_file
from evonas.supernet import SupernetSettings, parallel, train_supernet
toys, rules, out = runpy.run_path(sys.argv[1]), runpy.run_path(sys.argv[2])["RULES"], Path(sys.argv[3])
torch.set_num_threads(1)
with parallel.data_parallel() as device:
    assert parallel.processes() == 2
    for name, rule in rules.items():
        network = toys["toy_network"]().double()
        history = train_supernet(network, toys["toy_data"](160), rule,
                                 SupernetSettings(epochs=1, batch_size=8, lr=0.02), device=device,
                                 checkpoint=out / f"{name}-checkpoint.safetensors")
        assert history.epochs[0]["passes"] in (10, 30)
        own = {key: value.contiguous() for key, value in network.state_dict().items()}
        save_file(own, out / f"{name}-{parallel.rank()}.safetensors")
"""


@pytest.mark.slow
def test_two_processes_give_the_weights_of_one_with_the_doubled_batch(make_network, make_data, tmp_path):
    """Ten steps in double precision: paths, norms (their gradients too) and projectors are those of all images."""
    (tmp_path / "script.py").write_text(SCRIPT)
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", tmp_path / "script.py"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, *launch, TOYS, __file__, tmp_path],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    for name, rule in RULES.items():
        network = make_network().double()
        train_supernet(network, make_data(160), rule, SupernetSettings(epochs=1, batch_size=16, lr=0.02))
        first, second = (load_file(tmp_path / f"{name}-{rank}.safetensors") for rank in (0, 1))
        for key, value in network.state_dict().items():
            assert torch.equal(first[key], second[key]), (name, key)
            assert float((first[key].double() - value.double()).abs().max()) < 1e-5, (name, key)
        assert (tmp_path / f"{name}-checkpoint.safetensors").exists()


def test_alone_nothing_is_exchanged_and_norms_stay_as_they_are():
    assert (parallel.processes(), parallel.rank()) == (1, 0)
    norm = nn.BatchNorm2d(2)
    with parallel.data_parallel() as device, parallel.synchronized_norms(norm):
        assert "forward" not in vars(norm)
        assert device.type in ("cpu", "cuda")
    batch = torch.arange(6.0)
    parallel.average([batch])
    assert torch.equal(parallel.mine(batch), torch.arange(6.0))
    assert parallel.collect(batch) is batch
    assert parallel.mean(2.5) == 2.5


@pytest.mark.parametrize("shape", [(6, 3, 4, 4), (12, 3)])
def test_a_norm_of_all_images_has_torch_s_outputs_and_gradients(shape, monkeypatch):
    """One process that gathers its own statistics is an ordinary batch norm, running averages included."""
    # One process stands for several.
    monkeypatch.setattr(parallel, "processes", lambda: 1)
    monkeypatch.setattr(parallel.distributed, "all_gather", lambda parts, own: parts[0].copy_(own))
    monkeypatch.setattr(parallel.distributed, "all_reduce", lambda sums: None)
    kind = nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d
    own, torchs = kind(3).double(), kind(3).double()
    generator = torch.Generator().manual_seed(0)
    for parameter, other in zip(own.parameters(), torchs.parameters(), strict=True):
        with torch.no_grad():
            parameter.copy_(torch.randn(3, generator=generator))
            other.copy_(parameter)
    x = torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
    y = x.detach().clone().requires_grad_()
    pull = torch.randn(shape, generator=generator, dtype=torch.float64)
    for _ in range(2):
        (parallel._synchronized(own, x) * pull).sum().backward()
        (torchs(y) * pull).sum().backward()
    pairs = [(x.grad, y.grad), *((a.grad, b.grad) for a, b in zip(own.parameters(), torchs.parameters(), strict=True))]
    pairs += zip(own.buffers(), torchs.buffers(), strict=True)
    for mine, its in pairs:
        torch.testing.assert_close(mine, its, rtol=0, atol=1e-12)
    own.eval()
    torchs.eval()
    torch.testing.assert_close(parallel._synchronized(own, x), torchs(x), rtol=0, atol=0)
