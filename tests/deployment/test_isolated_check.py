from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from evonas.data import Part
from evonas.deployment import run_fresh
from evonas.deployment.check import CHUNK, compare, load_again
from evonas.errors import ExportError
from evonas.runtime import export, logits

IMAGES = np.random.default_rng(0).integers(0, 17, (CHUNK + 44, 1, 4, 4)).astype(np.uint8)
PART = Part(torch.from_numpy(IMAGES), torch.zeros(len(IMAGES), dtype=torch.int64))


@pytest.fixture(scope="module")
def network():
    module = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    nn.init.normal_(module[1].weight, generator=torch.Generator().manual_seed(0))
    return module.eval()


@pytest.mark.parametrize("dynamic", [True, False])
def test_a_fresh_process_sees_the_same(network, tmp_path, dynamic):
    size = 2 if dynamic else 1
    file = tmp_path / "model.onnx"
    export(network, torch.zeros(size, 1, 4, 4), file, dynamic_batch=dynamic, exporter="quick")
    fresh = run_fresh(file, IMAGES, scale=16.0)
    np.testing.assert_allclose(fresh.logits, logits(file, IMAGES, scale=16), atol=1e-6)
    assert 0 < fresh.own_memory < fresh.peak_memory


def test_a_model_that_does_not_run_there_is_told_in_one_line(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"none")
    with pytest.raises(ExportError, match=r"could not run model\.onnx with onnxruntime: ") as caught:
        run_fresh(tmp_path / "model.onnx", IMAGES, scale=16.0)
    assert "\n" not in str(caught.value)


def test_parts_are_compared_whole_and_fresh_logits_held_against_them(network, tmp_path):
    file = tmp_path / "model.onnx"
    export(network, torch.zeros(2, 1, 4, 4), file, exporter="quick")
    seen = compare(network, str(file), PART, scale=16.0)
    assert len(seen.predictions) == CHUNK + 44
    assert seen.agreement == 1.0
    assert seen.error < 1e-5
    load_again(file, seen, PART, scale=16.0)
    other = replace(seen, logits=seen.logits + np.float32(0.01))
    with pytest.raises(ExportError, match=r"a difference of 0\.01"):
        load_again(file, other, PART, scale=16.0)


def test_a_model_of_other_weights_is_seen_in_any_chunk(network, tmp_path):
    other = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).eval()
    other.load_state_dict({name: -value for name, value in network.state_dict().items()})
    file = tmp_path / "model.onnx"
    export(other, torch.zeros(2, 1, 4, 4), file, exporter="quick")
    seen = compare(network, str(file), PART, scale=16.0)
    assert seen.agreement < 1.0
    with pytest.raises(ExportError, match="images change class"):
        seen.require()
