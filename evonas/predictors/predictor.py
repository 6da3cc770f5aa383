"""Predictor of one expensive objective: the regressor that ranks unseen architectures best."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from evonas.pareto.correlation import spearman
from evonas.predictors.encoders.encoder import Described, Encoder
from evonas.predictors.regressors.registry import REGRESSORS
from evonas.predictors.regressors.regressor import Regressor
from evonas.predictors.scale import ScoreScale

__all__ = ["Predictor", "RegressorChoice", "fit_predictor"]

D = TypeVar("D", bound=Described)
F = TypeVar("F")
MIN_VALUES = 8
"""Number of values below which no correlation means anything; the first regressor is taken then."""
TOLERANCE = 0.15
"""Correlations this close are alike, for so few values cannot distinguish them: the first such regressor is taken."""


@dataclass(frozen=True)
class RegressorChoice:
    """Regressor that was chosen, and how well each ranked architectures that it had not seen.

    Attributes:
        name: The chosen one's.
        correlations: Spearman's rho of each in cross-validation; empty where there were too few values.
    """

    name: str
    correlations: dict[str, float]


class Predictor:
    """Predictor that `fit_predictor` learned.

    Attributes:
        choice: Its regressor, and how well each ranked.
    """

    def __init__(
        self, choice: RegressorChoice, encoder: Encoder[Any, Any], scale: ScoreScale, regressor: Regressor[Any]
    ) -> None:
        self.choice = choice
        self._encoder, self._scale, self._regressor = encoder, scale, regressor

    def __call__(self, described: Described) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations as scores, each shape ``(n,)``, for `values`."""
        return self._regressor.predict(self._encoder.transform(described))

    def values(self, scores: np.ndarray) -> np.ndarray:
        """Return the values, in the unit learned from, that scores mean."""
        return self._scale.back(scores)

    def threshold(self, value: float) -> float:
        """Return the score between what was at most a value and what was more."""
        return self._scale.threshold(value)


def fit_predictor(
    encoder: Encoder[D, F],
    known: D,
    values: np.ndarray,
    regressors: Mapping[str, Callable[[], Regressor[F]]] | None = None,
    tolerance: float = TOLERANCE,
) -> Predictor:
    """Learn a number of architectures by the regressor that ranks best in cross-validation, the first among equals.

    Args:
        encoder: The one that described them; it is fitted to them here.
        known: Descriptions of evaluated architectures, one or more.
        values: Their values, finite, shape ``(n,)``.
        regressors: Name -> class of those to choose from, which read what the encoder gives, in the order of
            preference; None: `REGRESSORS`, which read arrays.
        tolerance: Difference of correlations up to which regressors are equals.
    """
    makers: Mapping[str, Callable[[], Regressor[Any]]] = REGRESSORS if regressors is None else regressors
    encoder, scale = encoder.fit(known), ScoreScale(values)
    features = encoder.transform(known)
    if len(values) < MIN_VALUES or np.ptp(values) == 0:
        name, make = next(iter(makers.items()))
        regressor = make()
        regressor.fit(features, scale.scores)
        return Predictor(RegressorChoice(name, {}), encoder, scale, regressor)
    fitted = {name: one for name, make in makers.items() if len(values) <= (one := make()).max_values}
    correlations = {}
    for name, regressor in fitted.items():
        rho = spearman(regressor.fit(features, scale.scores), values)
        correlations[name] = 0.0 if np.isnan(rho) else round(rho, 6)
    name = next(name for name, rho in correlations.items() if rho >= max(correlations.values()) - tolerance)
    return Predictor(RegressorChoice(name, correlations), encoder, scale, fitted[name])
