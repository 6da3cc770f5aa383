"""Scale of scores: values of an objective as what a regressor learns, robust against outliers, and back."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

__all__ = ["ScoreScale", "normal_scores"]

RANK_SHARE = 0.25
"""Share of ranks in a score."""


def normal_scores(values: np.ndarray) -> np.ndarray:
    """Return standard normal quantiles of the ranks of values, shape ``(n,)``; equal values have equal scores."""
    scores: np.ndarray = ndtri((rankdata(values) - 0.5) / len(values))
    return scores


class ScoreScale:
    """Increasing map of values to scores of about a standard normal's spread, and back.

    A quarter of a score is the value's rank, which no outlier can stretch, the rest its distance from the median
    in robust units, clipped: ranks alone would spread a crowd of equally good members as wide as all the others.

    Args:
        values: Finite, shape ``(n,)``.
    """

    def __init__(self, values: np.ndarray) -> None:
        ranks = normal_scores(values)
        middle = np.median(values)
        low, high = np.quantile(values, [0.1, 0.9])
        unit = max(high - low, 1e-12) / 2.56  # of a normal distribution: the spread between these quantiles
        plain = np.clip((values - middle) / unit, -3.0, 3.0)
        self.scores = RANK_SHARE * ranks + (1 - RANK_SHARE) * plain
        self._scores, first = np.unique(self.scores, return_index=True)
        self._values = values[first]

    def back(self, scores: np.ndarray) -> np.ndarray:
        """Return values of scores; beyond what was seen the outermost tenth's slope goes on."""
        known, values = self._scores, self._values
        if len(known) < 2:
            return np.full(np.shape(scores), values[0])
        found = np.interp(scores, known, values)
        reach = min(max(1, len(known) // 10), len(known) - 1)
        below, above = scores < known[0], scores > known[-1]
        first = (values[reach] - values[0]) / (known[reach] - known[0])
        last = (values[-1] - values[-1 - reach]) / (known[-1] - known[-1 - reach])
        found = np.where(below, values[0] + first * (scores - known[0]), found)
        back: np.ndarray = np.where(above, values[-1] + last * (scores - known[-1]), found)
        return back

    def threshold(self, value: float) -> float:
        """Return the score halfway between the last of at most a value and the first above; infinite at the ends."""
        index = int(np.searchsorted(self._values, value, side="right"))
        if index in (0, len(self._values)):
            return -np.inf if index == 0 else np.inf
        return float(self._scores[index - 1] + self._scores[index]) / 2
