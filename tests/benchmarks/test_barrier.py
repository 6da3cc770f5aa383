from __future__ import annotations

import pytest

from evonas.benchmarks.barrier import simulate_barrier


def test_one_worker_never_idles_and_equal_times_cost_nothing():
    assert simulate_barrier(1, 10, 1.0) == pytest.approx(0.0)
    assert simulate_barrier(4, 8, 0.0) == pytest.approx(0.0)
    assert simulate_barrier(4, 6, 0.0, generations=1) == pytest.approx(0.25)  # two rounds, the second half full


def test_heavy_tails_cost_more_and_steadily_less():
    mild, heavy = (simulate_barrier(50, 50, spread) for spread in (0.2, 1.0))
    assert mild < heavy
    assert simulate_barrier(50, 50, 1.0, steady=True) < heavy / 2
