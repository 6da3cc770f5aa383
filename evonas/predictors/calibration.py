"""Calibration: scores without a unit as accuracies with an interval, learned from a few that are known.

References:
    .. [Draper1998] Draper, Smith: Applied Regression Analysis, third edition, Wiley 1998, section 3.1.
"""

from __future__ import annotations

import numpy as np

__all__ = ["MIN_CALIBRATED", "LogitCalibration"]

MIN_CALIBRATED = 4
"""Known accuracies below which nothing is calibrated: two are a line, and its error needs two more."""
CONFIDENCE = 0.95
"""Of the interval."""
LEAST_SPREAD = 1e-9
"""Mean square of the scores' spread below which they are taken to be equal."""
LEAST_SLOPE = 1e-3
"""Slope, in logits per score, that keeps the order of scores where known accuracies do not bear it out."""


class LogitCalibration:
    """Accuracy as an increasing function of a score: a line in logits, by least squares, with its prediction interval.

    Args:
        scores: Predicted of trained architectures, each without itself, finite, shape ``(n,)``, n >= `MIN_CALIBRATED`.
        accuracies: What they gave, in [0, 1], shape ``(n,)``.
        images: Images that an accuracy was counted on: none is distinguished from another half an image away.

    Attributes:
        error: Mean absolute difference between known accuracies and the line's, in fractions.
        noise: Mean standard error of the known accuracies that counting on so few images leaves, in fractions.
    """

    def __init__(self, scores: np.ndarray, accuracies: np.ndarray, images: int) -> None:
        from scipy.stats import t

        n = len(scores)
        logits = _logit(accuracies, images)
        self._center, self._level = float(scores.mean()), float(logits.mean())
        spread = float(((scores - self._center) ** 2).sum())
        self._spread = spread if spread > LEAST_SPREAD * n else 0.0
        slope = float((scores - self._center) @ logits) / self._spread if self._spread > 0 else 0.0
        self.slope = max(slope, LEAST_SLOPE)
        rest = logits - self._line(scores)
        self._deviation = float(np.sqrt((rest**2).sum() / (n - 2)))
        self._n, self._t = n, float(t.ppf((1 + CONFIDENCE) / 2, n - 2))
        self.error = float(np.abs(accuracies - _share(self._line(scores))).mean())
        self.noise = float(np.sqrt(accuracies * (1 - accuracies) / images).mean())

    def __call__(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return accuracies and the ends of their interval, each shape ``(m,)``, in (0, 1) ([Draper1998]_)."""
        middle = self._line(scores)
        far = (scores - self._center) ** 2 / self._spread if self._spread > 0 else np.zeros_like(middle)
        reach = self._t * self._deviation * np.sqrt(1 + 1 / self._n + far)
        return _share(middle), _share(middle - reach), _share(middle + reach)

    def _line(self, scores: np.ndarray) -> np.ndarray:
        return np.asarray(self._level + self.slope * (scores - self._center))


def _logit(accuracies: np.ndarray, images: int) -> np.ndarray:
    shares = np.clip(accuracies, 0.5 / images, 1 - 0.5 / images)
    return np.asarray(np.log(shares / (1 - shares)))


def _share(logits: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))))
