from __future__ import annotations

import numpy as np
import pytest

from evonas.errors import EvaluationError
from evonas.tasks.calibration import log_loss
from evonas.tasks.temperature import HOTTEST, cross_calibrated, fit_temperature, softmax


def drawn(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    targets = rng.integers(5, size=n)
    return rng.normal(size=(n, 5)) + 2 * np.eye(5)[targets], targets


def test_no_other_temperature_has_less_loss():
    logits, targets = drawn()
    best = fit_temperature(logits, targets)
    least = log_loss(softmax(logits / best), targets)
    for other in (0.5, 0.9, 0.99, 1.01, 1.1, 2):
        assert log_loss(softmax(logits / (best * other)), targets) > least


@pytest.mark.parametrize("factor", [1e-3, 0.3, 7.0, 1e4])
def test_logits_that_are_some_times_as_large_have_as_many_times_the_temperature(factor):
    logits, targets = drawn()
    best = fit_temperature(logits, targets)
    assert fit_temperature(factor * logits, targets) == pytest.approx(factor * best, rel=1e-7)
    shifted = logits + np.arange(len(logits))[:, None]  # which no probability sees
    assert fit_temperature(shifted, targets) == pytest.approx(best, rel=1e-7)
    after = [cross_calibrated(times * logits, targets) for times in (1, factor)]
    assert np.allclose(*after, atol=1e-7)
    assert np.array_equal(after[0].argmax(1), logits.argmax(1))


def test_images_are_calibrated_by_the_other_half():
    logits, _ = drawn()
    targets = np.zeros(len(logits), dtype=int)  # of one class every other image is of one half
    logits[1::2, 0] -= 3.0  # the odd ones are mostly wrong
    found = cross_calibrated(logits, targets)
    even = softmax(logits[::2] / fit_temperature(logits[1::2], targets[1::2]))
    assert np.allclose(found[::2], even)
    assert not np.allclose(found[1::2], softmax(logits[1::2] / fit_temperature(logits[1::2], targets[1::2])))


def test_halves_hold_the_same_number_of_each_class_where_classes_alternate():
    logits = np.array([[2.0, 0.0], [0.0, 1.0]] * 20)  # evenly by place: one class alone on either side
    targets = np.arange(40) % 2
    logits[targets == 1] *= 5
    half = np.isin(np.arange(40), np.concatenate([np.flatnonzero(targets == c)[::2] for c in (0, 1)]))
    found = cross_calibrated(logits, targets)
    assert np.allclose(found[half], softmax(logits[half] / fit_temperature(logits[~half], targets[~half])))


def test_where_there_is_no_best_temperature_it_is_the_end():
    logits = np.array([[2.0, 0.0], [0.0, 2.0]])
    assert fit_temperature(logits, np.array([0, 1])) == pytest.approx(logits.std() / HOTTEST)
    assert fit_temperature(logits, np.array([1, 0])) == pytest.approx(logits.std() * HOTTEST)
    assert fit_temperature(np.ones((3, 2)), np.array([0, 1, 1])) == 1.0
    with pytest.raises(EvaluationError, match="Expected finite logits"):
        fit_temperature(np.array([[np.nan, 0.0]]), np.array([0]))
