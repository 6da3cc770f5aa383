"""The benchmark of overheads runs, counts alike and says what it measured; its ratios are judged elsewhere."""

from __future__ import annotations

import pytest
import torch

from evonas.benchmarks import overhead_swap
from evonas.benchmarks.overhead import QUICK, bench_overhead
from evonas.benchmarks.overhead_swap import swap_overhead
from evonas.data import load_data
from evonas.errors import EvaluationError
from evonas.spaces import load_space


def test_counts_that_differ_are_an_error(monkeypatch):
    # Counts that differ from ours.
    monkeypatch.setattr(overhead_swap, "naive_counts", lambda network, images, generator, n: torch.zeros(n).long())
    images = torch.arange(16 * 3 * 32 * 32).remainder(251).to(torch.uint8).reshape(16, 3, 32, 32)
    with pytest.raises(EvaluationError, match="equal counts"):
        swap_overhead(load_space("darts"), images, QUICK, seed=0)


def test_it_says_what_it_measures():
    def stop(text):
        raise RuntimeError(text)

    with pytest.raises(RuntimeError, match="SWAP-Score"):
        bench_overhead(load_data("digits"), quick=True, progress=stop)
