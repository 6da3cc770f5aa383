from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from evonas.errors import SettingsError
from evonas.predictors.ranker import Calibration


def test_the_line_and_its_interval_are_those_of_least_squares():
    scores, values = np.array([0.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0, 5.0])
    value, low, high = Calibration(scores, values).predict(np.array([1.5, 4.0]))
    assert value == pytest.approx([3.0, 3.0 + 1.4 * 2.5])
    spread = np.sqrt(0.2 / 2)  # residuals 0.1, -0.3, 0.3, -0.1
    reach = student.ppf(0.975, 2) * spread * np.sqrt(1 + 1 / 4 + np.array([0.0, 2.5**2 / 5]))
    assert high - value == pytest.approx(reach)
    assert value - low == pytest.approx(reach)


def test_intervals_hold_what_they_promise():
    rng, held = np.random.default_rng(0), []
    for _ in range(400):
        scores = rng.normal(size=9)
        values = 70 + 5 * scores + 2 * rng.normal(size=9)
        _, low, high = Calibration(scores[:8], values[:8]).predict(scores[8:])
        held.append(low[0] <= values[8] <= high[0])
    assert 0.92 <= np.mean(held) <= 0.98


def test_a_falling_line_gives_all_the_mean():
    scores = np.arange(5.0)
    value, _, _ = Calibration(scores, -scores).predict(np.array([-10.0, 10.0]))
    assert value.tolist() == [-2.0, -2.0]


@given(st.integers(0, 10**6), st.floats(0.01, 3))
def test_trained_architectures_lie_within_noise_of_what_was_measured(seed, noise):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=12)
    values = 70 + 5 * scores + 3 * rng.normal(size=12)
    calibration = Calibration(scores, values, noise=noise)
    value, low, high = calibration.posterior(scores, values)
    line = calibration.predict(scores)[0]
    assert np.abs(value - values).mean() <= calibration.noise + 1e-9
    assert (np.minimum(line, values) - 1e-9 <= value).all()
    assert (value <= np.maximum(line, values) + 1e-9).all()
    assert (low < high).all()


def test_one_that_was_not_trained_at_the_top_is_predicted():
    rng = np.random.default_rng(1)
    scores, values = rng.normal(size=(2, 8))
    calibration = Calibration(scores, values + 3 * scores)
    for a, b in zip(calibration.posterior(scores, np.full(8, np.nan)), calibration.predict(scores), strict=True):
        assert a == pytest.approx(b)


def test_fewer_than_four_are_no_calibration():
    with pytest.raises(SettingsError, match="Expected 4 architectures or more"):
        Calibration(np.arange(3.0), np.arange(3.0))
