"""The benchmark of overheads runs, counts alike and says what it measured; its ratios are judged elsewhere."""

from __future__ import annotations

import json

import pytest
import torch
from typer.testing import CliRunner

from evonas.benchmarks import overhead_swap
from evonas.benchmarks.overhead import QUICK, bench_overhead
from evonas.benchmarks.overhead_swap import swap_overhead
from evonas.cli import app
from evonas.data import load_data
from evonas.errors import EvaluationError
from evonas.spaces import load_space

KEYS = {
    "swap": {"speedup_over_naive", "over_forward", "peak_bytes", "naive_peak_bytes"},
    "supernet": {
        "disturbance_immune_over_uniform", "uniform_over_standalone", "accuracy_over_standalone", "trace_over_d",
        "peak_bytes_over_uniform",
    },
    "search": {"outside_evaluations_us_per_candidate"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EVONAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EVONAS_DATA", raising=False)


def test_the_command_writes_every_figure(tmp_path):
    out = tmp_path / "overhead.json"
    torch.manual_seed(3)
    before = torch.get_rng_state()
    done = CliRunner().invoke(app, ["bench", "overhead", "--quick", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert torch.equal(torch.get_rng_state(), before)
    results = json.loads(out.read_text())
    for part, keys in KEYS.items():
        assert keys <= results[part].keys()
        assert all(results[part][key] > 0 for key in keys)
    assert results["supernet"]["trace_over_d"] < 1
    assert results["settings"]["quick"] is True
    assert results["settings"]["repeats"] == QUICK.repeats
    assert results["machine"]["torch"] == torch.__version__
    assert out.with_suffix(".csv").read_text().startswith("part,figure,value\nswap,speedup_over_naive,")


def test_counts_that_differ_are_an_error(monkeypatch):
    monkeypatch.setattr(overhead_swap, "naive_counts", lambda network, images, generator, n: torch.zeros(n).long())
    images = torch.arange(16 * 3 * 32 * 32).remainder(251).to(torch.uint8).reshape(16, 3, 32, 32)
    with pytest.raises(EvaluationError, match="equal counts"):
        swap_overhead(load_space("darts"), images, QUICK, seed=0)


def test_it_says_what_it_measures():
    def stop(text):
        raise RuntimeError(text)

    with pytest.raises(RuntimeError, match="SWAP-Score"):
        bench_overhead(load_data("digits"), quick=True, progress=stop)
