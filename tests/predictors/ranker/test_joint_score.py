from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_ndtr, ndtri

from evonas.errors import SettingsError
from evonas.predictors.ranker.joint_score import JointScore


def test_it_is_the_standardized_sum_of_logarithms_of_ranks():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([20.0, 30.0, 10.0])
    share = np.array([1, 3, 5]) / 6
    expected = np.log(share) + np.log(share[[1, 2, 0]])
    expected = (expected - expected.mean()) / expected.std()
    assert np.allclose(JointScore({"a": a, "b": b})({"a": a, "b": b}), expected)


def test_one_score_alone_keeps_its_order():
    values = np.random.default_rng(0).normal(size=50)
    joined = JointScore({"flops": values})({"flops": values})
    assert (np.argsort(joined) == np.argsort(values)).all()


@given(st.integers(0, 10**6), st.floats(0.1, 10), st.floats(-3, 3))
def test_an_increasing_line_of_a_score_changes_nothing(seed, slope, shift):
    first, second = np.random.default_rng(seed).normal(size=(2, 30))
    first, second = first - first.min() - 1.0, second - second.min() - 1.0
    plain = JointScore({"a": first, "b": second})({"a": first, "b": second})
    lined = -abs(shift) - 20 * slope + slope * first  # stays negative, so that no logarithm is taken
    other = JointScore({"a": lined, "b": second})({"a": lined, "b": second})
    assert np.allclose(plain, other)


def test_one_poor_score_weighs_more_than_one_excellent_score():
    reference = np.arange(100.0)
    joint = JointScore({"a": reference, "b": reference})
    middling, mixed = joint({"a": np.array([50.0, 1.0]), "b": np.array([50.0, 98.0])})
    assert middling > mixed
    assert 2 * log_ndtr(0) > log_ndtr(ndtri(0.02)) + log_ndtr(ndtri(0.98))


def test_without_scores_there_is_nothing_to_join():
    with pytest.raises(SettingsError, match="got none"):
        JointScore({})
