"""Normal scale: values as standard normal quantiles of their ranks within a fixed reference sample."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

__all__ = ["NormalScale"]

BOUND = 6.0
"""Largest magnitude of a quantile; what cannot be scored lies at the lower end."""
TAIL = 0.1
"""Share of the reference whose slope goes on beyond its ends."""


class NormalScale:
    """Increasing map of values to quantiles: value v has quantile Phi^-1(p), p the share of the reference below v.

    Between values of the reference it is linear, beyond them it goes on with the slope of the outermost tenth, so that
    no two different values tie. Where all of the reference is positive it works on logarithms, for costs and scores
    differ by factors.

    Args:
        reference: Values of the reference sample, shape ``(n,)``; NaN: could not be scored.
    """

    def __init__(self, reference: np.ndarray) -> None:
        known = np.asarray(reference, dtype=np.float64)
        known = known[np.isfinite(known)]
        self._log = bool(len(known)) and bool(known.min() > 0)
        self._values, counts = np.unique(self._logged(known), return_counts=True)
        last = np.cumsum(counts)
        self._quantiles = ndtri((last - counts / 2) / max(len(known), 1))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return quantiles of values, shape ``(n,)``; NaN lies at the lower end, a constant reference gives 0."""
        known, quantiles = self._values, self._quantiles
        given = np.asarray(values, dtype=np.float64)
        missing, given = np.isnan(given), self._logged(given)
        if len(known) < 2:
            return np.where(missing, -BOUND, 0.0)
        reach = max(1, round(TAIL * len(known)))
        first = (quantiles[reach] - quantiles[0]) / (known[reach] - known[0])
        last = (quantiles[-1] - quantiles[-1 - reach]) / (known[-1] - known[-1 - reach])
        inside = np.where(missing, known[0], np.clip(given, known[0], known[-1]))
        found = np.interp(inside, known, quantiles)
        with np.errstate(invalid="ignore"):  # of infinities, which the bound takes care of
            found = np.where(given < known[0], quantiles[0] + first * (given - known[0]), found)
            found = np.where(given > known[-1], quantiles[-1] + last * (given - known[-1]), found)
        return np.where(missing, -BOUND, np.clip(found, -BOUND, BOUND))

    def _logged(self, values: np.ndarray) -> np.ndarray:
        if not self._log:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(np.maximum(values, 0.0)))
