"""Combined estimate of accuracy: costs and a training-free score joined with the loss by shared weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from evonas.errors import EvaluationError
from evonas.files.progress import Progress, Silent
from evonas.objectives.accuracy.main_effects import AdditiveEffects
from evonas.objectives.contract import Context
from evonas.objectives.cost.cost import CostEvaluator
from evonas.objectives.proxy import Scores
from evonas.proxies import load_proxy
from evonas.spaces import Architecture, Candidate

REPEATS = 2
"""Re-initializations of a SWAP-Score: half of what a warm start takes, for it is one of three."""

TRUST = np.array([2.0, 1.0, 1.0])
"""How much scores that agree alike count: what was trained as much as the two that were not."""


class ZeroCostFeatures:
    """Logarithms of FLOPs and of SWAP, computed once per architecture.

    Args:
        context: Space, skeleton and data.
    """

    def __init__(self, context: Context) -> None:
        self._costs, self._swap = CostEvaluator(context), Scores(context, [load_proxy("swap", repeats=REPEATS)])
        self._known: dict[str, np.ndarray] = {}

    def __call__(self, architecture: Architecture) -> np.ndarray:
        """Return both, shape (2,).

        Raises:
            EvaluationError: FLOPs are not known.
        """
        key = str(architecture)
        if key not in self._known:
            (row,) = self._costs.evaluate([Candidate(architecture)])
            if row["flops"].value is None:
                raise EvaluationError(f"FLOPs are not known: {row['flops'].cause}")
            (patterns,) = self._swap(architecture)
            # What cannot be scored has no activations, and so a single pattern.
            counted = 1.0 if isinstance(patterns, EvaluationError) else patterns
            self._known[key] = np.log(np.maximum([row["flops"].value, counted], 1.0))
        return self._known[key]

    def prepare(self, architectures: Iterable[Architecture], progress: Progress | None) -> None:
        """Compute those of a sample and keep them.

        Args:
            architectures: The sample.
            progress: Shows how far it is.

        Raises:
            EvaluationError: FLOPs are not known.
        """
        sample = list(architectures)
        with (progress or Silent()).task("Scoring the paths read", len(sample)) as task:
            for architecture in sample:
                self(architecture)
                task.advance(1)


class CombinedEstimator:
    """Three standard scores, each by how far it agrees with the other two: smoothed loss (twofold), FLOPs and SWAP.

    Shared weights, counting and untrained networks err in different ways, so that together they rank better than
    each. Of scores whose errors are independent, those that err less agree more with the others: the first principal
    component of their rank correlations on a fixed sample of the space weighs them by that (after Parisi et al.,
    "Ranking and combining multiple predictors without labeled data", PNAS 2014). What contradicts the other two
    counts for nothing, as shared weights do that have not learnt to separate paths. No truth is used. The sum is
    brought to accuracy's scale: by one increasing function its mean and spread on the sample become those of the
    paths' accuracies, in logits. The choice of the three and the scale are our own.

    Args:
        before: Logarithms of FLOPs and SWAP.
        effects: The smoothed loss, and the sample.
        images: How many images a path's accuracy counts.
        measure: Name of the measure that is the accuracy.
        progress: Shows how much of the sample is scored.
    """

    def __init__(
        self,
        before: ZeroCostFeatures,
        effects: AdditiveEffects,
        images: int,
        measure: str = "accuracy",
        progress: Progress | None = None,
    ) -> None:
        self._before, self._effects = before, effects
        before.prepare((form for form, _ in effects.sample), progress)
        features = np.array([self._features(form, score) for form, score in effects.sample])
        self._mean, self._spread = features.mean(axis=0), _nonzero(features.std(axis=0))
        weights = _agreement(features) * TRUST
        self.weights = weights / weights.sum()
        # Shares of images that differ by half an image are one and the same.
        shares = np.clip([score[measure] for _, score in effects.sample], 0.5 / images, 1 - 0.5 / images)
        logits = np.log(shares / (1 - shares))
        means = self._standard(features)
        self._slope = float(_nonzero(logits.std()) / _nonzero(means.std()))
        self._middle = float(logits.mean())

    def __call__(self, architecture: Architecture, score: Mapping[str, float]) -> float:
        """Return the architecture's value, in (0, 1).

        Raises:
            EvaluationError: FLOPs are not known.
        """
        (mean,) = self._standard(self._features(architecture, score)[None])
        return 1.0 / (1.0 + math.exp(-(self._middle + self._slope * mean)))

    def _standard(self, features: np.ndarray) -> np.ndarray:
        return np.asarray(((features - self._mean) / self._spread) @ self.weights)

    def _features(self, architecture: Architecture, score: Mapping[str, float]) -> np.ndarray:
        return np.array([self._effects(architecture, score), *self._before(architecture)])


def _agreement(features: np.ndarray) -> np.ndarray:
    """Return weights that sum to 1, one per column: the first principal component of their rank correlations."""
    from scipy.stats import rankdata

    ranks = rankdata(features, axis=0)  # a network without activations lies far off and would decide alone
    ranks = (ranks - ranks.mean(axis=0)) / _nonzero(ranks.std(axis=0))
    values, vectors = np.linalg.eigh(ranks.T @ ranks / len(ranks))
    if values[-1] == 0:  # all are constant
        return np.full(len(values), 1 / len(values))
    weights = np.maximum(vectors[:, -1] * np.copysign(1.0, vectors[:, -1].sum()), 0.0)
    shares: np.ndarray = weights / weights.sum()
    return shares


def _nonzero(spread: np.ndarray) -> np.ndarray:
    """Return standard deviations by which a constant may be divided."""
    return np.where(spread == 0, 1.0, spread)
