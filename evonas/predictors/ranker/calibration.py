"""Calibration: the ranker's scores as accuracy at the highest fidelity, with an interval."""

from __future__ import annotations

import numpy as np
from scipy.stats import t as student

from evonas.errors import SettingsError

__all__ = ["MIN_CALIBRATED", "Calibration"]

MIN_CALIBRATED = 4
"""Number of architectures trained at the highest fidelity below which a score is no accuracy."""
CONFIDENCE = 0.95
"""Of an interval."""


class Calibration:
    """Line from scores to accuracy, by least squares on architectures that were trained at the highest fidelity.

    Their scores are those that the ranker gave without having seen them, so that what the line misses is what it will
    miss of others. The line never falls: then all get the mean, with an interval as wide as what was seen.

    Args:
        scores: Left-out scores of architectures trained at the highest fidelity, shape ``(n,)``.
        values: Their accuracies, shape ``(n,)``, whatever the unit.
        noise: Standard deviation of one training's accuracy, as repeated trainings show it; None: half of the variance
            that the line misses is taken to be noise.

    Attributes:
        slope: Accuracy per score.
        spread: Standard deviation of what the line misses.
        noise: Standard deviation of one training's accuracy, at most `spread`.

    Raises:
        SettingsError: Fewer than `MIN_CALIBRATED` architectures.
    """

    def __init__(self, scores: np.ndarray, values: np.ndarray, noise: float | None = None) -> None:
        if len(values) < MIN_CALIBRATED:
            raise SettingsError(
                f"Expected {MIN_CALIBRATED} architectures or more trained at the highest fidelity, got {len(values)}: "
                "with fewer a score cannot be read as accuracy."
            )
        self._middle, self._mean = float(scores.mean()), float(values.mean())
        centered = scores - self._middle
        self._squares = float(centered @ centered)
        self.slope = max(0.0, float(centered @ values) / self._squares) if self._squares > 0 else 0.0
        self._free = len(values) - (2 if self.slope > 0 else 1)
        missed = values - self._mean - self.slope * centered
        self.spread = float(np.sqrt(missed @ missed / self._free))
        self.noise = self.spread * np.sqrt(0.5) if noise is None else min(noise, self.spread)
        self._n = len(values)

    def predict(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return accuracies and the ends of their 95 % intervals for a training's result, each shape ``(k,)``."""
        value = self._line(scores)
        return self._interval(value, self.spread**2 + self._uncertainty(scores))

    def posterior(self, scores: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what is expected of a further training of architectures that were trained, with 95 % intervals.

        Line and measurement count by their precision: the line errs by what an architecture differs from others of
        its score, the measurement by noise.

        Args:
            scores: Left-out scores, shape ``(k,)``.
            measured: Accuracies at the highest fidelity, shape ``(k,)``; NaN: not trained at it, as in `predict`.
        """
        known = ~np.isnan(measured)
        own = self.spread**2 - self.noise**2 + self._uncertainty(scores)  # variance about the line, noise apart
        total = own + self.noise**2
        trust = np.where(known & (total > 0), own / np.where(total > 0, total, 1.0), 0.0)
        line = self._line(scores)
        value = line + trust * (np.where(known, measured, line) - line)
        return self._interval(value, (1 - trust) * own + self.noise**2)

    def _line(self, scores: np.ndarray) -> np.ndarray:
        return np.asarray(self._mean + self.slope * (scores - self._middle))

    def _uncertainty(self, scores: np.ndarray) -> np.ndarray:
        """Return the variance of the line itself."""
        leverage = (scores - self._middle) ** 2 / self._squares if self.slope > 0 else np.zeros(len(scores))
        return np.asarray(self.spread**2 * (1 / self._n + leverage))

    def _interval(self, value: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        reach = student.ppf(0.5 + CONFIDENCE / 2, self._free) * np.sqrt(variance)
        return value, value - reach, value + reach
