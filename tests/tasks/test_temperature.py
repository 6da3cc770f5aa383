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
    logits, targets = drawn()
    wrong = np.where(np.arange(len(targets)) % 2 == 0, targets, (targets + 1) % 5)
    found = cross_calibrated(logits, wrong)
    even = softmax(logits[::2] / fit_temperature(logits[1::2], wrong[1::2]))
    assert np.allclose(found[::2], even)
    assert found[::2].max(1).mean() < found[1::2].max(1).mean()  # the odd ones' labels say nothing


def test_where_there_is_no_best_temperature_it_is_the_end():
    logits = np.array([[2.0, 0.0], [0.0, 2.0]])
    assert fit_temperature(logits, np.array([0, 1])) == pytest.approx(logits.std() / HOTTEST)
    assert fit_temperature(logits, np.array([1, 0])) == pytest.approx(logits.std() * HOTTEST)
    assert fit_temperature(np.ones((3, 2)), np.array([0, 1, 1])) == 1.0
    with pytest.raises(EvaluationError, match="Expected finite logits"):
        fit_temperature(np.array([[np.nan, 0.0]]), np.array([0]))
