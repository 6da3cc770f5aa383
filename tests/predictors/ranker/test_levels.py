from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evonas.predictors.ranker import fuse_levels


def ladder(low, climbed, high):
    """Return measurements of a ladder of two levels."""
    architectures = np.concatenate([np.arange(len(low)), climbed])
    levels = np.repeat([0, 1], [len(low), len(climbed)])
    return architectures, levels, np.concatenate([low, high])


@given(st.integers(0, 10**6), st.floats(0.1, 3), st.floats(-50, 50))
def test_a_line_between_levels_is_recovered_though_only_the_best_climb(seed, slope, shift):
    low = np.random.default_rng(seed).normal(size=20)
    climbed = np.argsort(low)[-6:]
    fused = fuse_levels(*ladder(low, climbed, shift + slope * low[climbed]))
    assert fused.level == 1
    assert np.allclose(fused.values, shift + slope * low)
    assert fused.measured.tolist() == np.isin(np.arange(20), climbed).tolist()


def test_what_was_measured_stays_as_measured():
    low = np.arange(8.0)
    high = np.array([50.0, 40, 60, 55])
    fused = fuse_levels(*ladder(low, np.arange(4, 8), high))
    assert fused.values[4:].tolist() == high.tolist()


def test_a_level_that_few_have_reached_is_not_reached():
    low = np.arange(8.0)
    fused = fuse_levels(*ladder(low, np.array([6, 7, 5]), np.array([90.0, 91, 92])))
    assert fused.level == 0
    assert fused.values.tolist() == low.tolist()
    assert fused.measured.all()


def test_a_level_that_contradicts_the_one_below_gives_the_mean():
    low = np.arange(8.0)
    fused = fuse_levels(*ladder(low, np.arange(4, 8), np.array([4.0, 3, 2, 1])))
    assert fused.values[:4].tolist() == [2.5] * 4


def test_the_order_of_measurements_changes_nothing():
    measurements = ladder(np.arange(9.0) ** 2, np.arange(4, 9), np.array([5.0, 7, 6, 9, 8]))
    order = np.random.default_rng(0).permutation(len(measurements[0]))
    first, second = fuse_levels(*measurements), fuse_levels(*(column[order] for column in measurements))
    assert np.allclose(first.values, second.values)
    assert first.architectures.tolist() == second.architectures.tolist()
