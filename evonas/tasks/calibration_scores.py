"""Scores of calibration that a search optimizes: ece, ece_after, nll, brier and hcs."""

from __future__ import annotations

import numpy as np

from evonas.tasks.calibration import brier_score, expected_error, harmonic_score, log_loss
from evonas.tasks.temperature import cross_calibrated

__all__ = ["calibration_scores"]


def calibration_scores(targets: np.ndarray, answers: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Return the measures of `evonas.tasks.measure.CALIBRATION`, by name.

    Args:
        targets: True classes, integers in 0..K-1, shape (n,).
        answers: Classes answered, likewise.
        probabilities: Of each class, shape (n, K).
    """
    right = targets == answers
    error = expected_error(probabilities.max(1), right)
    # Probabilities' logarithms are logits but for a number per image, which no temperature sees.
    after = cross_calibrated(np.log(np.maximum(probabilities, 1e-300)), targets)
    return {
        "ece": error,
        "ece_after": expected_error(after.max(1), right),
        "nll": log_loss(probabilities, targets),
        "brier": brier_score(probabilities, targets),
        "hcs": harmonic_score(float(right.mean()), error),
    }
