"""Relative improvement of a search over random sampling, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evonas.errors import SettingsError

__all__ = ["FEWEST_PAIRS", "RelativeImprovement", "relative_improvement"]

FEWEST_PAIRS = 5
"""Pairs that an interval needs: a bootstrap of fewer values knows too little to be worth stating."""


@dataclass(frozen=True)
class RelativeImprovement:
    """Relative improvement over random sampling, in per cent, and how far to trust it."""

    value: float
    low: float
    high: float
    """Ends of the bootstrap interval; NaN where a side has a single run."""
    p: float
    """Two-sided p-value of the Mann-Whitney U test; NaN where a side has a single run."""
    confidence: float
    runs: tuple[int, int]
    """Runs of the method and of random sampling."""


def relative_improvement(
    method: ArrayLike,
    random: ArrayLike,
    *,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> RelativeImprovement:
    """Return RI = 100 (mean(method) - mean(random)) / mean(random) with a percentile bootstrap interval.

    Args:
        method: One value per run of the method (accuracy in any unit, or hypervolume), higher is better.
        random: One value per randomly sampled architecture, trained in the same way; positive in the mean.
        rng: Source of the bootstrap; a fixed seed where None, so that a report repeats.
        confidence: Of the interval, in (0, 1).
        resamples: Bootstrap resamples; both sides are resampled, independently.

    Raises:
        SettingsError: A side is empty, not finite, or the random mean is not positive.

    Source: Yang, Esperança and Carlucci (ICLR 2020), equation 1.
    """
    method, random = (np.asarray(side, dtype=np.float64).ravel() for side in (method, random))
    if not (method.size and random.size and np.isfinite(method).all() and np.isfinite(random).all()):
        raise SettingsError("Expected finite values of the method and of random sampling, at least one each.")
    if random.mean() <= 0:
        raise SettingsError(f"Expected a positive mean of random sampling, got {random.mean():.6g}.")
    if not 0 < confidence < 1:
        raise SettingsError(f"Expected a confidence between 0 and 1, got {confidence}.")
    value = _improvement(method.mean(), random.mean())
    low = high = p = math.nan
    if method.size > 1 and random.size > 1:
        from scipy.stats import mannwhitneyu  # not needed to read a front

        rng = np.random.default_rng(0) if rng is None else rng
        ours, theirs = (
            side[rng.integers(side.size, size=(resamples, side.size))].mean(axis=1) for side in (method, random)
        )
        tail = (1 - confidence) / 2
        # Without interpolation, for some resamples may be infinite.
        ends = np.quantile(_improvement(ours, theirs), [tail, 1 - tail], method="inverted_cdf")
        low, high = ends.tolist()
        p = float(mannwhitneyu(method, random, alternative="two-sided").pvalue)
    return RelativeImprovement(float(value), low, high, p, confidence, (method.size, random.size))


def _improvement(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    # A resample of random sampling may be all zeros; any improvement over it is infinite.
    infinite = np.full(np.shape(theirs), np.inf)
    improved: np.ndarray = np.divide(100 * (ours - theirs), theirs, out=infinite, where=theirs > 0)
    return improved
