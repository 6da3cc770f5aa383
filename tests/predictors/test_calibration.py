from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.predictors.calibration import LogitCalibration


def logistic(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def test_a_line_in_logits_is_recovered() -> None:
    scores = np.linspace(-2, 2, 9)
    truth = logistic(0.7 + 0.4 * scores)
    acc, low, high = LogitCalibration(scores, truth, 10**9)(scores)
    np.testing.assert_allclose(acc, truth, atol=1e-9)
    assert (high - low).max() < 1e-6
    calibration = LogitCalibration(scores, truth, 1000)
    assert calibration.error == pytest.approx(0, abs=1e-9)
    assert calibration.noise == pytest.approx(np.sqrt(truth * (1 - truth) / 1000).mean())


def test_intervals_hold_what_they_say() -> None:
    held = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        scores = rng.normal(size=8)
        truth = logistic(1 + 0.5 * scores + 0.3 * rng.normal(size=8))
        _, low, high = LogitCalibration(scores[:7], truth[:7], 10**6)(scores[7:])
        held.append(low[0] <= truth[7] <= high[0])
    assert 0.92 <= np.mean(held) <= 0.98


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-30, 30).map(lambda tenths: tenths / 10), st.floats(0, 1)), min_size=4, max_size=12)
)
def test_order_is_kept_and_all_is_an_accuracy(pairs: list[tuple[float, float]]) -> None:
    scores, accuracies = (np.array(column) for column in zip(*pairs, strict=True))
    acc, low, high = LogitCalibration(scores, accuracies, 100)(np.linspace(-4, 4, 30))
    assert (np.diff(acc) >= 0).all()
    assert acc[-1] > acc[0]
    assert ((low >= 0) & (low <= acc) & (acc <= high) & (high <= 1)).all()


@pytest.mark.parametrize("right", [0.0, 1.0])
def test_none_or_all_right_counts_as_half_an_image_from_it(right: float) -> None:
    scores = np.linspace(-1, 1, 5)
    acc, low, high = LogitCalibration(scores, np.full(5, right), 200)(np.zeros(1))
    np.testing.assert_allclose([acc, low, high], abs(right - 0.5 / 200), rtol=1e-2)
