"""Temperature scaling: one number by which logits are divided so that probabilities mean what they say.

References:
    .. [Guo2017] Guo et al.: On Calibration of Modern Neural Networks, ICML 2017, arXiv 1706.04599.
"""

from __future__ import annotations

import numpy as np

from evonas.errors import EvaluationError

__all__ = ["HOTTEST", "cross_calibrated", "fit_temperature", "softmax"]

HOTTEST = 1e3
"""Largest temperature, and one over the smallest, in deviations of the logits: where the optimum lies beyond, as for
logits that are right throughout or say nothing, it is this."""


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities, shape (n, K), in double precision."""
    values = logits.astype(np.float64)
    powers = np.exp(values - values.max(1, keepdims=True))
    probabilities: np.ndarray = powers / powers.sum(1, keepdims=True)
    return probabilities


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the temperature T at which ``logits / T`` have the least cross-entropy ([Guo2017]_ section 4.2).

    The loss is convex in 1 / T; its slope, the mean logit less the true class's, has one zero.

    Args:
        logits: Shape (n, K), n at least 1; log-probabilities do as well.
        targets: Integers in 0..K-1, shape (n,).

    Raises:
        EvaluationError: Logits are not finite.
    """
    from scipy.optimize import brentq

    if not np.isfinite(logits).all():
        raise EvaluationError("Expected finite logits to fit a temperature to, got others")
    # Centered and in deviations, so that logits that are c times as large have c times the temperature.
    values = logits.astype(np.float64) - logits.astype(np.float64).max(1, keepdims=True)
    scale = float(values.std())
    if scale == 0:
        return 1.0
    values /= scale
    own = values[np.arange(len(targets)), targets]

    def slope(log_inverse: float) -> float:
        found = values * np.exp(log_inverse)
        powers = np.exp(found)
        return float(((powers * values).sum(1) / powers.sum(1) - own).mean())

    end = float(np.log(HOTTEST))
    if slope(end) <= 0:
        return scale / HOTTEST
    if slope(-end) >= 0:
        return scale * HOTTEST
    return float(scale * np.exp(-brentq(slope, -end, end, xtol=1e-10)))


def cross_calibrated(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return probabilities of images, each at the temperature that was fitted on the half without it.

    Every other image of each class is of one half: parts of data may alternate between classes. So no image is measured
    by what was fitted on it, and all are measured.

    Args:
        logits: Shape (n, K).
        targets: Integers in 0..K-1, shape (n,).

    Raises:
        EvaluationError: Logits are not finite.
    """
    probabilities = softmax(logits)
    if len(targets) < 2:
        return probabilities
    half = np.empty(len(targets), dtype=bool)
    half[np.argsort(targets, kind="stable")] = np.arange(len(targets)) % 2 == 0
    for other in (half, ~half):
        probabilities[other] = softmax(logits[other] / fit_temperature(logits[~other], targets[~other]))
    return probabilities
