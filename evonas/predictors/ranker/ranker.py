"""Ranker: what orders architectures by all that is known, a few trainings (anchors) among it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from evonas.pareto.correlation import spearman
from evonas.predictors.encoders import TokenColumns, TokenCounts
from evonas.predictors.ranker.normal_scale import NormalScale
from evonas.predictors.ranker.signals import SignalEncoder, Signals, StatisticsEncoder
from evonas.predictors.ranker.stack import error_shares, pulled_weights
from evonas.predictors.regressors import GaussianProcess, Regressor, Ridge
from evonas.predictors.regressors.forest import Forest
from evonas.predictors.scale import ScoreScale

__all__ = ["UNKNOWN_SHORTNESS", "VIEWS", "Ranker", "View", "shared_weight", "without_falling_trend"]

COSTS = ("flops", "params")
"""Scores that are costs."""
MIN_ANCHORS = 6
"""Number of anchors below which nothing is learned from them."""
PRIOR_ANCHORS = 8.0
"""Number of anchors that what is expected of the parts counts for."""
SHORT_ANCHORS = 0.2
"""Number of further ones for each anchor whose training is shorter by a factor of e: more of them do not teach what
only long trainings show."""
UNKNOWN_SHORTNESS = 1.0
"""Logarithm of how many times longer the training that counts is, where that is not known."""
EXPECTED_FREE = 0.5
"""Weight expected of the joint score: about its correlation with accuracy on most tables."""
GENERAL = 1 / 3
"""Weight of what trainings in other spaces say before there are anchors, relative to the joint score. Both see costs,
so that their agreement says little; a third helped more in one space left out than it cost in two."""
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
        "ridge of scores": View((), lambda seed: Ridge()),
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
    """Weighted sum of what is known before training and of what regressors learned from anchors.

    Parts are on the scale of the anchors' scores (`ScoreScale`): the joint score; each score of shared weights; what
    trainings in other spaces say, where that is known; and what the regressors of `VIEWS` predict, joined by
    `error_shares`. Weights are those of `pulled_weights`, for which anchors are predicted without themselves; of n
    anchors n / (n + `PRIOR_ANCHORS`) is expected of what they teach, and `EXPECTED_FREE` of what is known before. So
    what is known before stands alone where there are no anchors, leads while they are few, and what they do not bear
    out gets a weight of 0.

    Regressors see costs as they are and scores as normal quantiles of their ranks in the reference sample: some scores
    have tails so long that a few networks would make up all of a column's spread, and these are what anchors chosen by
    uncertainty are.

    A short training favors networks that learn fast, which are the cheap ones. Where anchors are short, a falling
    trend along cost is taken out of their scores: it says nothing of a full training.

    Args:
        encoder: What encoded all signals.
        reference: Signals of a sample of the space, which says how shared weights agree with the joint score.
        anchors: Signals of trained architectures, one row each.
        values: Their accuracies, all of one fidelity, finite.
        cost: Logarithm of their networks' cost, shape ``(n,)``.
        shortness: Logarithm of how many times longer the training is that counts in the end; 0: they are that long.
            Where it is not known, anchors are taken to be short.
        seed: Of the forests.
        views: Regressors.

    Attributes:
        weights: Weight of each part by name: ``free``, ``shared 0``, ..., ``general``, and ``learned`` once there are
            anchors.
        shares: Share of each regressor in what is learned, by name.
        scores: The anchors' scores, without a falling trend, mean 0.
        left_out: Predictions of them, each without itself; empty where nothing is learned.
    """

    def __init__(
        self,
        encoder: SignalEncoder | StatisticsEncoder,
        reference: Signals,
        anchors: Signals,
        values: np.ndarray,
        cost: np.ndarray,
        *,
        shortness: float = UNKNOWN_SHORTNESS,
        seed: int = 0,
        views: Mapping[str, View] = VIEWS,
    ) -> None:
        statistics = reference.described.statistics.T
        self._scales = {
            index: NormalScale(column)
            for index, (name, column) in enumerate(zip(encoder.scores, statistics, strict=True))
            if name not in COSTS
        }
        self._shared = [NormalScale(column) for column in reference.shared.T]
        trust = [1.0, *(shared_weight(column, reference.free) for column in reference.shared.T)]
        names = ["free", *(f"shared {i}" for i in range(len(self._shared)))]
        if reference.general is not None:
            trust, names = [*trust, GENERAL], [*names, "general"]
        self.weights = {name: count / sum(trust) for name, count in zip(names, trust, strict=True)}
        self.shares: dict[str, float] = {}
        self.scores, self.left_out = np.zeros(0), np.zeros(0)
        self._regressors: dict[str, tuple[TokenColumns, Regressor]] = {}
        if len(values) < MIN_ANCHORS or np.ptp(values) == 0:
            return
        scores = ScoreScale(values).scores
        if shortness > 0:
            scores = without_falling_trend(scores, cost)
        self.scores = scores - scores.mean()
        left_out = {}
        described = self._described(anchors)
        for name, view in views.items():
            columns = TokenColumns(encoder.names, described, view.groups)
            features = columns(described)
            if features.shape[1]:
                self._regressors[name] = columns, view.make(seed)
                left_out[name] = self._regressors[name][1].fit(features, self.scores)
        self.shares = error_shares(left_out, self.scores)
        parts = self._before(anchors)
        parts["learned"] = np.sum([self.shares[name] * column for name, column in left_out.items()], axis=0)
        expected = {name: EXPECTED_FREE * weight for name, weight in self.weights.items()}
        expected["learned"] = len(values) / (len(values) + PRIOR_ANCHORS)
        strength = PRIOR_ANCHORS + SHORT_ANCHORS * shortness * len(values)
        self.weights = pulled_weights(parts, self.scores, expected, strength)
        self.left_out = np.sum([self.weights[name] * part for name, part in parts.items()], axis=0)

    @property
    def learned(self) -> bool:
        """Whether there were anchors enough to learn from."""
        return bool(self._regressors)

    def predict(self, signals: Signals) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations of scores, each shape ``(n,)``.

        The deviation joins what the regressors say of their own and how far they disagree, and of an anchor as well as
        of others; without anchors it is 1, that of scores over the space.
        """
        parts = self._before(signals)
        if not self.learned:
            return self._sum(parts), np.ones(len(signals))
        described = self._described(signals)
        predicted = [one.predict(columns(described)) for columns, one in self._regressors.values()]
        means, spreads = (np.stack(column) for column in zip(*predicted, strict=True))
        share = np.array([self.shares[name] for name in self._regressors])[:, None]
        parts["learned"] = (share * means).sum(axis=0)
        variance = (share * (spreads**2 + (means - parts["learned"]) ** 2)).sum(axis=0)
        return self._sum(parts), np.sqrt(variance)

    def _described(self, signals: Signals) -> TokenCounts:
        """Return what regressors see: scores on the scale of their ranks, NaN where they are not known."""
        statistics = signals.described.statistics.copy()
        for index, scale in self._scales.items():
            column = statistics[:, index]
            statistics[:, index] = np.where(np.isnan(column), np.nan, scale(column))
        return replace(signals.described, statistics=statistics)

    def _before(self, signals: Signals) -> dict[str, np.ndarray]:
        """Return the parts that are known before training, by name."""
        shared = zip(self._shared, signals.shared.T, strict=True)
        found = {"free": signals.free} | {f"shared {i}": scale(column) for i, (scale, column) in enumerate(shared)}
        return found if signals.general is None else found | {"general": signals.general}

    def _sum(self, parts: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.asarray(np.sum([self.weights[name] * part for name, part in parts.items()], axis=0))


def without_falling_trend(scores: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Return scores without their linear trend along cost where it falls; a rising one is kept.

    The slope is pulled to 0 with the strength of four scores.
    """
    centered = cost - cost.mean()
    unit = float(centered.std()) or 1.0
    slope = float(scores @ (centered / unit)) / (len(scores) + 4)
    return np.asarray(scores - min(slope, 0.0) * centered / unit)
