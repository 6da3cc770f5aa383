"""Agreement of a signal with what was measured: rank correlation, interval, and when it would differ from chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.pareto.correlation import kendall

__all__ = ["Agreement", "measure_agreement", "measure_pairs"]

RESAMPLINGS = 1000
"""Bootstrap samples behind an interval."""
CONFIDENCE = 0.95
"""Of the interval."""
MOST = 10_000
"""Measurements above which none are asked for."""


@dataclass(frozen=True)
class Agreement:
    """Rank correlation of a signal with what was measured.

    Attributes:
        tau: Kendall's tau-b; None where it cannot be computed.
        low: Lower end of its 95 % interval, by the bootstrap over what was measured; None where `tau` is.
        high: Upper end.
        n: Measurements.
        needed: Measurements by which a correlation of this size would differ from chance; None where none would.
    """

    tau: float | None
    low: float | None
    high: float | None
    n: int
    needed: int | None

    @property
    def beats_chance(self) -> bool:
        """Whether the interval lies above 0."""
        return self.low is not None and self.low > 0


def measure_agreement(signal: np.ndarray, measured: np.ndarray) -> Agreement:
    """Return the agreement of a signal with measurements, more is better in both.

    Args:
        signal: Shape ``(n,)``; NaN: not known, left out.
        measured: Shape ``(n,)``, finite.
    """
    n = int(np.isfinite(signal).sum())
    tau = kendall(signal, measured) if n > 2 else np.nan
    if not np.isfinite(tau):
        return Agreement(None, None, None, n, None)
    draws = np.random.default_rng(0).integers(len(measured), size=(RESAMPLINGS, len(measured)))
    taus = np.array([kendall(signal[rows], measured[rows]) for rows in draws])
    taus = taus[np.isfinite(taus)]
    low, high = np.quantile(taus, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]) if len(taus) else (-1.0, 1.0)
    return Agreement(float(tau), float(low), float(high), n, _needed(float(tau)))


def measure_pairs(concordance: np.ndarray) -> Agreement:
    """Return the agreement that pairs show, of which each was predicted by something that had seen neither.

    Predictions of left-out values that come from different folds must not be compared: a fold without the best is
    centered lower, which makes a signal without any worth appear contrary (Airola et al., Computational Statistics and
    Data Analysis 55, 2011).

    Args:
        concordance: Mean sign by which the signal orders a pair as it was measured, in [-1, 1], shape ``(n, n)``,
            symmetric; NaN: not known, as on the diagonal.
    """
    n = len(concordance)
    if not np.isfinite(concordance).any():
        return Agreement(None, None, None, n, None)
    tau = float(np.nanmean(concordance))
    draws = np.random.default_rng(0).integers(n, size=(RESAMPLINGS, n))
    drawn = [concordance[np.ix_(rows, rows)] for rows in draws]
    taus = [float(np.nanmean(pairs)) for pairs in drawn if np.isfinite(pairs).any()]
    low, high = np.quantile(taus, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Agreement(tau, float(low), float(high), n, _needed(tau))


def _needed(tau: float) -> int | None:
    """Return the fewest measurements whose tau by chance, twice its standard deviation, is below a positive one.

    The variance of tau where there is no association is ``2 (2 n + 5) / (9 n (n - 1))`` (Kendall, Biometrika 1938).
    """
    return next((n for n in range(4, MOST) if tau > 2 * (2 * (2 * n + 5) / (9 * n * (n - 1))) ** 0.5), None)
