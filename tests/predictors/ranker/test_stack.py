from __future__ import annotations

import numpy as np
import pytest

from evonas.predictors.ranker.stack import error_shares, pulled_weights


def test_shares_fall_with_the_squared_error():
    scores = np.zeros(4)
    shares = error_shares({"good": np.full(4, 0.1), "poor": np.full(4, 0.2)}, scores)
    assert shares == pytest.approx({"good": 16 / 17, "poor": 1 / 17})  # errors 1 to 4, squared 1 to 16


def test_a_regressor_without_error_does_not_divide_by_zero():
    assert error_shares({"exact": np.zeros(3), "poor": np.ones(3)}, np.zeros(3))["exact"] == pytest.approx(1.0)


def test_weights_are_the_ridge_solution_around_the_pull():
    column, strength, pull = np.array([1.0, 2.0, 3.0]), 5.0, 0.5
    scores = 2.0 * column
    expected = (column @ scores + strength * pull) / (column @ column + strength)
    assert pulled_weights({"a": column}, scores, {"a": pull}, strength)["a"] == pytest.approx(expected)


def test_without_anchors_worth_mentioning_weights_are_the_pull():
    weights = pulled_weights({"a": np.ones(2), "b": np.zeros(2)}, np.ones(2), {"a": 0.3, "b": 0.7}, 1e9)
    assert weights == pytest.approx({"a": 0.3, "b": 0.7}, abs=1e-6)


def test_what_anchors_contradict_gets_nothing():
    column = np.random.default_rng(0).normal(size=50)
    assert pulled_weights({"a": column, "b": -column}, 2 * column, {"a": 0.5, "b": 0.5}, 4.0)["b"] == 0.0
