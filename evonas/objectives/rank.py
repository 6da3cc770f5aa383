"""``rank(a,b)``: training-free scores of different scale, made one number by ranking each against a fixed sample."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from evonas.errors import EvaluationError, SettingsError
from evonas.objectives.contract import Context, Evaluator, one_by_one
from evonas.objectives.proxy import Scores, scores_fingerprint
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective, split_names
from evonas.proxies import load_proxy
from evonas.spaces import Architecture, Candidate

REFERENCES = 100
"""Architectures of the space that each score is ranked among."""
SEED = 20240513
"""Of the sample; whatever the search's seed is, a rank means the same."""


def ranked_proxies(name: str) -> tuple[str, ...]:
    """Return the proxies of ``rank(a,b)``, none where the name is no such thing.

    Raises:
        SettingsError: Some of them are no proxies, or named twice.
    """
    match = re.fullmatch(r"rank\((.*)\)", name)
    if match is None:
        return ()
    names = split_names([match[1]], "proxy")
    for proxy in names:
        load_proxy(proxy)
    return names


class RankEvaluator(Evaluator):
    """Mean over proxies of the share of a fixed sample of the space that scores worse, in [0, 1].

    The sample is the same in every search, so that the value is a property of the architecture. A member of the
    sample that a proxy cannot score counts as worse than all; ties count half.

    Args:
        context: Space and data.
        name: Such as ``"rank(swap,synflow)"``.

    Raises:
        SettingsError: No data, or a name that is no ranking of proxies.
    """

    def __init__(self, context: Context, name: str) -> None:
        names = ranked_proxies(name)
        if not names:
            raise SettingsError(f"Expected rank(PROXY,PROXY,…), got '{name}'")
        self.objectives = (Objective(name, "", "max"),)
        self.space = context.space
        self.scores = Scores(context, [load_proxy(proxy) for proxy in names])
        self.fingerprint = scores_fingerprint(self.scores, "rank", 1, REFERENCES, SEED)

    @cached_property
    def _sample(self) -> np.ndarray:
        """Scores of the sample, more is better, shape ``(proxies, REFERENCES)``, ascending."""
        genomes = self.space.sample(REFERENCES, np.random.default_rng(SEED), by="choice")
        rows = [self.scores(self.space.canonical(self.space.decode(genome))) for genome in genomes]
        return np.sort(np.array([[self._signed(i, s) for i, s in enumerate(row)] for row in rows]).T, axis=1)

    def _signed(self, position: int, score: float | EvaluationError) -> float:
        if isinstance(score, EvaluationError):
            return -np.inf
        proxy = self.scores.proxies[position]
        value = proxy.objective(score)
        return value if proxy.direction == "max" else -value

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return the mean rank of each architecture."""
        (objective,) = self.objectives

        def compute(architecture: Architecture) -> dict[str, float]:
            shares = []
            for position, score in enumerate(self.scores(architecture)):
                if isinstance(score, EvaluationError):
                    raise score
                shares.append(_share_below(self._sample[position], self._signed(position, score)))
            return {objective.name: float(np.mean(shares))}

        return one_by_one(self.objectives, candidates, compute)


def _share_below(ascending: np.ndarray, value: float) -> float:
    """Return which share of sorted values lies below, ties half."""
    low, high = (np.searchsorted(ascending, value, side=side) for side in ("left", "right"))
    return float(low + high) / (2 * len(ascending))
