from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtri

from evonas.predictors.ranker.normal_scale import BOUND, NormalScale

VALUES = arrays(np.float64, st.integers(2, 40), elements=st.integers(-50, 50).map(float))


def test_values_of_the_reference_get_the_quantiles_of_their_ranks():
    assert np.allclose(NormalScale(np.array([7.0, -1.0, 3.0]))(np.array([-1.0, 3.0, 7.0])), ndtri([1 / 6, 0.5, 5 / 6]))


def test_ties_of_the_reference_share_their_middle_rank():
    assert np.allclose(NormalScale(np.array([0.0, 0.0, 1.0, 2.0]))([0.0]), ndtri(0.25))


@given(VALUES, VALUES)
def test_it_never_falls(reference, values):
    found = NormalScale(reference)(np.sort(values))
    assert (np.diff(found) >= -1e-12).all()
    assert (np.abs(found) <= BOUND).all()


def test_beyond_the_reference_values_still_differ():
    found = NormalScale(np.arange(100.0))(np.array([99.0, 100.0, 101.0, -1.0]))
    assert found[0] < found[1] < found[2]
    assert found[3] < NormalScale(np.arange(100.0))(np.zeros(1))[0]


def test_positive_values_are_told_apart_by_their_factors():
    scale = NormalScale(np.array([1.0, 100.0]))
    assert np.isclose(scale(np.array([10.0]))[0], 0.0)


def test_what_could_not_be_scored_is_worse_than_all():
    found = NormalScale(np.array([1.0, 2.0, np.nan]))(np.array([np.nan, -np.inf, 0.0, np.inf]))
    assert found.tolist() == [-BOUND, -BOUND, -BOUND, BOUND]


def test_a_constant_reference_tells_nothing_apart():
    assert NormalScale(np.ones(5))(np.array([0.5, 1.0, 3.0])).tolist() == [0.0, 0.0, 0.0]
