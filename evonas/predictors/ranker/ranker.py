"""Ranker: what orders architectures by all that is known, a few trainings (anchors) among it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from scipy.optimize import nnls

from evonas.pareto.correlation import spearman
from evonas.predictors.encoders import TokenColumns
from evonas.predictors.ranker.normal_scale import NormalScale
from evonas.predictors.ranker.signals import SignalEncoder, Signals
from evonas.predictors.regressors import GaussianProcess, Regressor, Ridge
from evonas.predictors.regressors.forest import Forest
from evonas.predictors.scale import ScoreScale

__all__ = ["VIEWS", "Ranker", "View", "shared_weight"]

MIN_ANCHORS = 6
"""Number of anchors below which nothing is learned: the joint score stands alone."""
MOST_SHARED = 4.0
"""Most that a score of shared weights counts before there are anchors, relative to the joint score."""


@dataclass(frozen=True)
class View:
    """A regressor and what it sees.

    Attributes:
        groups: Groups of tokens; scores are seen by all.
        make: Returns a fresh regressor, given a seed.
    """

    groups: tuple[str, ...]
    make: Callable[[int], Regressor]


VIEWS: Mapping[str, View] = MappingProxyType(
    {
        "forest": View(("genes", "counts"), lambda seed: Forest(seed=seed)),
        "extra-trees": View(("counts",), lambda seed: Forest(extra=True, leaf=2, seed=seed)),
        "gaussian-process": View(("genes", "counts", "ways", "parts"), lambda seed: GaussianProcess()),
        "ridge": View(("genes", "counts"), lambda seed: Ridge()),
    }
)
"""Regressors that the ranker weighs, by name."""


def shared_weight(score: np.ndarray, free: np.ndarray) -> float:
    """Return how much a score of shared weights counts before there are anchors, the joint score counting 1.

    r^2 / (1 - r^2), at most `MOST_SHARED`, r its rank correlation with the joint score; 0 where r is not positive.

    Args:
        score: Of a sample, more is better, shape ``(n,)``; NaN: not read.
        free: The joint score of the sample.
    """
    r = spearman(score, free)
    return 0.0 if not r > 0 else MOST_SHARED if r == 1 else min(MOST_SHARED, r**2 / (1 - r**2))


class Ranker:
    """Weighted sum of what is known before training and of regressors that anchors teach.

    Each part is a column of predictions on the scale of the anchors' scores (`ScoreScale`): the prior, which is the
    joint score and what shared weights add to it, and every regressor of `VIEWS`, for the anchors predicted without
    themselves. Weights are those that predict the anchors best among weights of 0 or more, pulled to the prior with
    the strength of `prior_anchors` further anchors (stacked regression, Breiman, Machine Learning 1996, with a prior).
    So the prior stands alone where there are few anchors, and what they do not bear out gets a weight of 0.

    A short training favors networks that learn fast, which are the cheap ones. Where anchors are short, a falling
    trend along the joint score's costs is taken out of their scores: it says nothing of a full training.

    Args:
        encoder: What encoded all signals.
        reference: Signals of a sample of the space, the measure of scales and of what agrees with what.
        anchors: Signals of trained architectures, one row each.
        values: Their accuracies, all of one fidelity, finite.
        cost: Logarithm of the anchors' cost, or None where anchors are trained to the end.
        seed: Of the forests.
        prior_anchors: Number of anchors that the prior counts for.

    Attributes:
        weights: Weight of each part by name.
        anchors: Number of anchors.
        left_out: Predictions of the anchors' scores, each without itself; empty below `MIN_ANCHORS`.
        scores: The anchors' scores.
    """

    def __init__(
        self,
        encoder: SignalEncoder,
        reference: Signals,
        anchors: Signals,
        values: np.ndarray,
        *,
        cost: np.ndarray | None = None,
        seed: int = 0,
        prior_anchors: float = 16.0,
        agreement: float = 0.5,
        views: Mapping[str, View] = VIEWS,
    ) -> None:
        self._shared = [NormalScale(column) for column in reference.shared.T]
        trust = [shared_weight(column, reference.free) for column in reference.shared.T]
        self._trust = np.array([1.0, *trust]) / (1.0 + sum(trust))
        self.weights: dict[str, float] = {"prior": 1.0}
        self.anchors, self.scores, self.left_out = len(values), np.zeros(0), np.zeros(0)
        self._parts: dict[str, tuple[TokenColumns, Regressor]] = {}
        if len(values) < MIN_ANCHORS or np.ptp(values) == 0:
            return
        self.scale = ScoreScale(values)
        self.scores = self.scale.scores - self.scale.scores.mean()
        if cost is not None:
            self.scores = without_falling_trend(self.scores, cost)
        columns = {"prior": self._prior(anchors)}
        for name, view in views.items():
            made = TokenColumns(encoder.names, anchors.described, view.groups)
            features = made(anchors.described)
            if features.shape[1] == 0:
                continue
            regressor = view.make(seed)
            columns[name] = regressor.fit(features, self.scores)
            self._parts[name] = made, regressor
        pull = np.array([agreement] + [0.0] * (len(columns) - 1))
        self.weights = dict(zip(columns, _stacked(columns, self.scores, pull, prior_anchors), strict=True))
        self.left_out = sum((self.weights[name] * column for name, column in columns.items()), np.zeros(len(values)))

    @property
    def learned(self) -> bool:
        """Whether there were anchors enough to learn from."""
        return bool(self._parts)

    def predict(self, signals: Signals) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations of scores, each shape ``(n,)``."""
        prior = self._prior(signals)
        means, spreads, weights = [prior], [np.ones(len(signals))], [self.weights["prior"]]
        for name, (columns, regressor) in self._parts.items():
            if self.weights[name] > 0:
                mean, spread = regressor.predict(columns(signals.described))
                means.append(mean)
                spreads.append(spread)
                weights.append(self.weights[name])
        total = max(sum(weights), 1e-9)
        share = np.array(weights)[:, None] / total
        middle = (share * np.stack(means)).sum(axis=0)
        variance = (share * (np.stack(spreads) ** 2 + (np.stack(means) - middle) ** 2)).sum(axis=0)
        return middle * total, np.sqrt(variance)

    def _prior(self, signals: Signals) -> np.ndarray:
        shared = [scale(column) for scale, column in zip(self._shared, signals.shared.T, strict=True)]
        return np.asarray(self._trust @ np.stack([signals.free, *shared]))


def without_falling_trend(scores: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Return scores without their linear trend along cost where it falls; a rising one is kept.

    The slope is pulled to 0 with the strength of four scores.
    """
    centered = cost - cost.mean()
    unit = float(centered.std()) or 1.0
    slope = float(scores @ (centered / unit)) / (len(scores) + 4)
    return np.asarray(scores - min(slope, 0.0) * centered / unit)


def _stacked(columns: Mapping[str, np.ndarray], scores: np.ndarray, pull: np.ndarray, strength: float) -> list[float]:
    """Return weights of 0 or more that minimize the squared error and the weights' distance from `pull`."""
    rows = np.stack(list(columns.values()), axis=1)
    ridge = np.sqrt(strength) * np.eye(len(pull))
    weights, _ = nnls(np.concatenate([rows, ridge]), np.concatenate([scores, ridge @ pull]))
    return [float(weight) for weight in weights]
