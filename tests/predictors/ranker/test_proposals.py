from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evonas.predictors.ranker import propose_anchors


@given(st.integers(0, 60), st.integers(0, 70), st.integers(0, 10**6))
def test_different_candidates_one_of_each_slice_of_cost(n, number, seed):
    rng = np.random.default_rng(seed)
    cost = rng.normal(size=n)
    chosen = propose_anchors(cost, None, number, rng)
    assert len(set(chosen.tolist())) == len(chosen) == min(n, number)
    if len(chosen):
        rank = np.argsort(np.argsort(cost))[chosen]
        starts = np.cumsum([0] + [len(part) for part in np.array_split(np.arange(n), len(chosen))])
        assert all(starts[i] <= rank[i] < starts[i + 1] for i in range(len(chosen)))


def test_within_a_slice_the_least_certain_is_taken():
    chosen = propose_anchors(np.arange(6.0), np.array([0, 1, 0, 2, 9, 3.0]), 2, np.random.default_rng(0))
    assert chosen.tolist() == [1, 4]


def test_an_unknown_cost_is_the_least():
    chosen = propose_anchors(np.array([5.0, np.nan, 6.0]), None, 3, np.random.default_rng(0))
    assert chosen.tolist() == [1, 0, 2]
