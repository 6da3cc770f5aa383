"""What is known of an architecture before training, joined with what shared weights say of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from evonas.errors import EvaluationError
from evonas.objectives.cost import CostEvaluator
from evonas.objectives.evaluator import Context
from evonas.objectives.proxy import Scores
from evonas.proxies import load_proxy
from evonas.spaces import Architecture
from evonas.supernet import PathScore

REFERENCES = 24
"""Architectures that every scale is measured on."""
SEED = 20240513
"""Of these; whatever the search's seed is, a value means the same."""
REPEATS = 2
"""Re-initializations of a SWAP-Score: half of what a warm start takes, for it is one of three."""


class Prior:
    """The mean of three standard scores: probability of the true class, logarithm of FLOPs, logarithm of SWAP.

    Shared weights, counting and untrained networks err in different ways, so that together they rank better than
    each; how much each counts is not learnt from any truth. Each is measured in standard deviations of a fixed
    sample of the space, and the mean is brought to accuracy's scale: by one increasing function its mean and
    spread on the sample become those of the paths' accuracies, in logits. The combination is our own.

    The sample is read once, at the cost of as many evaluations; after that a value costs a SWAP-Score more than
    the path.

    Args:
        context: Space, skeleton and data.
        read: Reads a path's score.
        images: How many images `read` counts.
    """

    def __init__(self, context: Context, read: Callable[[Architecture], PathScore], images: int) -> None:
        self._costs, self._swap = CostEvaluator(context), Scores(context, [load_proxy("swap", repeats=REPEATS)])
        space = context.space
        genomes = space.sample(REFERENCES, np.random.default_rng(SEED), by="choice")
        sample = {str(form): form for form in (space.canonical(space.decode(genome)) for genome in genomes)}
        known: list[tuple[float, np.ndarray]] = []
        for form in sample.values():
            with suppress(EvaluationError):
                score = read(form)
                known.append((score.accuracy, self._facts(form, score)))
        if not known:
            raise EvaluationError("None of the paths that a prior is measured on could be read")
        facts = np.array([row for _, row in known])
        self._mean, self._spread = facts.mean(axis=0), _nonzero(facts.std(axis=0))
        # No share of images is told apart from another half an image away.
        shares = np.clip([accuracy for accuracy, _ in known], 0.5 / images, 1 - 0.5 / images)
        logits = np.log(shares / (1 - shares))
        means = self._standard(facts)
        self._slope = float(_nonzero(logits.std()) / _nonzero(means.std()))
        self._middle = float(logits.mean())

    def __call__(self, architecture: Architecture, score: PathScore) -> float:
        """Return the architecture's value, in (0, 1)."""
        (mean,) = self._standard(self._facts(architecture, score)[None])
        return 1.0 / (1.0 + math.exp(-(self._middle + self._slope * mean)))

    def _standard(self, facts: np.ndarray) -> np.ndarray:
        return ((facts - self._mean) / self._spread).mean(axis=1)

    def _facts(self, architecture: Architecture, score: PathScore) -> np.ndarray:
        (row,) = self._costs.evaluate([architecture])
        if row["flops"].value is None:
            raise EvaluationError(f"FLOPs are not known: {row['flops'].cause}")
        (patterns,) = self._swap(architecture)
        # What cannot be scored has no activations, and so a single pattern.
        counted = 1.0 if isinstance(patterns, EvaluationError) else patterns
        return np.array([score.probability, *np.log(np.maximum([row["flops"].value, counted], 1.0))])


def _nonzero(spread: np.ndarray) -> np.ndarray:
    """Return standard deviations by which a constant may be divided."""
    return np.where(spread == 0, 1.0, spread)
