"""A predictor of one dear number: the regressor that ranks unseen architectures best, made robust against outliers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from evonas.pareto.correlation import spearman
from evonas.predictors.encoding import Columns, Encoded, Encoder
from evonas.predictors.regressors import Regressor, regressors

__all__ = ["Choice", "Predictor", "Scale", "fit_predictor"]

FEWEST = 8
"""Values below which no correlation means anything; the first regressor is taken then."""
BLEND = 0.25
"""Share of ranks in a score."""
TOLERANCE = 0.15
"""Correlations this close are alike, for so few values cannot tell them apart: the first such regressor is taken."""


class Scale:
    """An increasing map of values to scores of about a standard normal's spread, and back.

    A quarter of a score is the value's rank, which no outlier can stretch, the rest its distance from the median
    in robust units, clipped: ranks alone would spread a crowd of equally good members as wide as all the others.

    Args:
        values: Finite, shape ``(n,)``.
    """

    def __init__(self, values: np.ndarray) -> None:
        ranks = ndtri((rankdata(values) - 0.5) / len(values))
        middle = np.median(values)
        low, high = np.quantile(values, [0.1, 0.9])
        unit = max(high - low, 1e-12) / 2.56  # of a normal distribution: the spread between these quantiles
        plain = np.clip((values - middle) / unit, -3.0, 3.0)
        self.scores = BLEND * ranks + (1 - BLEND) * plain
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
        place = int(np.searchsorted(self._values, value, side="right"))
        if place in (0, len(self._values)):
            return -np.inf if place == 0 else np.inf
        return float(self._scores[place - 1] + self._scores[place]) / 2


@dataclass(frozen=True)
class Choice:
    """Which regressor was chosen, and how well each ranked architectures that it had not seen.

    Attributes:
        name: The chosen one's.
        correlations: Spearman's rho of each in cross-validation; empty where there were too few values.
    """

    name: str
    correlations: dict[str, float]


class Predictor:
    """What `fit_predictor` learnt."""

    def __init__(self, choice: Choice, columns: Columns, scale: Scale, regressor: Regressor) -> None:
        self.choice = choice
        self._columns, self._scale, self._regressor = columns, scale, regressor

    def __call__(self, encoded: Encoded) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations as scores, each shape ``(n,)``, for `values`."""
        return self._regressor.predict(self._columns(encoded))

    def values(self, scores: np.ndarray) -> np.ndarray:
        """Return the values, in the unit learnt from, that scores mean."""
        return self._scale.back(scores)

    def threshold(self, value: float) -> float:
        """Return the score between what was at most a value and what was more."""
        return self._scale.threshold(value)


def fit_predictor(encoder: Encoder, known: Encoded, values: np.ndarray) -> Predictor:
    """Learn a number of architectures by the regressor that ranks best in cross-validation, the first among equals.

    Args:
        encoder: What encoded them.
        known: Evaluated architectures, one or more.
        values: Their values, finite, shape ``(n,)``.
    """
    columns, scale = Columns(encoder, known), Scale(values)
    shown = columns(known)
    if len(values) < FEWEST or np.ptp(values) == 0:
        name, make = next(iter(regressors.items()))
        regressor = make()
        regressor.fit(shown, scale.scores)
        return Predictor(Choice(name, {}), columns, scale, regressor)
    fitted = {name: one for name, make in regressors.items() if len(values) <= (one := make()).most}
    found = {}
    for name, regressor in fitted.items():
        rho = spearman(regressor.fit(shown, scale.scores), values)
        found[name] = 0.0 if np.isnan(rho) else round(rho, 6)
    name = next(name for name, rho in found.items() if rho >= max(found.values()) - TOLERANCE)
    return Predictor(Choice(name, found), columns, scale, fitted[name])
