"""``free``: what costs and training-free scores say together of an architecture, ranked in a sample of its space."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from evonas.errors import DataError, EvaluationError
from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.cost.cost import CostEvaluator
from evonas.objectives.proxy import Scores, scores_fingerprint
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.predictors.ranker import FREE_SCORES, JointScore
from evonas.proxies import SaturationWarning, load_proxy
from evonas.spaces import Architecture, Candidate

__all__ = ["FreeEvaluator", "FreeReference", "read_free_reference"]

REFERENCES = 100
"""Architectures of the space that each score is ranked among."""
OPTIONS: Mapping[str, Mapping[str, Any]] = {"swap": {"repeats": 4}, "synflow": {}}
"""Options of the training-free scores; a SWAP-Score of four re-initializations ranks as one of many."""


@dataclass(frozen=True)
class FreeReference:
    """Reference sample of `free`.

    Attributes:
        fingerprint: Of all that its scores depend on.
        architectures: Texts of the sample.
        scores: By name, one value per architecture, more is better; None: could not be scored.
    """

    fingerprint: str
    architectures: tuple[str, ...]
    scores: Mapping[str, tuple[float | None, ...]]

    def to_json(self) -> str:
        """Return it as JSON, for the run."""
        content = {"fingerprint": self.fingerprint, "architectures": self.architectures, "scores": dict(self.scores)}
        return json.dumps(content, indent=1) + "\n"

    def columns(self) -> dict[str, np.ndarray]:
        """Return the scores as arrays, NaN where one is missing."""
        return {name: np.array(values, dtype=np.float64) for name, values in self.scores.items()}


def read_free_reference(path: str | Path) -> FreeReference:
    """Read the reference sample that a run stores.

    Raises:
        DataError: It cannot be read, or is none.
    """
    try:
        content = json.loads(Path(path).read_text())
        scores = {str(name): tuple(values) for name, values in content["scores"].items()}
        reference = FreeReference(str(content["fingerprint"]), tuple(content["architectures"]), scores)
        if not scores or {len(values) for values in scores.values()} != {len(reference.architectures)}:
            raise ValueError("columns of different lengths")
        reference.columns()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"Expected a reference sample of 'free' in {path}, got {type(error).__name__}: {error}"
        ) from error
    return reference


class FreeEvaluator(Evaluator):
    """Joint score of canonical FLOPs, SWAP and SynFlow (`JointScore`), without unit, 0 at the sample's mean.

    FLOPs are those of the canonical form on the search's skeleton, for parts that do nothing rank nothing. Without
    images it is FLOPs alone. An architecture that a score fails for gets the lowest rank of it; the sample is drawn by
    the search's seed, choice by choice.

    Args:
        context: Space, skeleton and, for scores that see images, data; ``options["free_reference"]`` may name the file
            of a sample that was scored before.

    Raises:
        DataError: That file cannot be read, or is of other settings.
    """

    batch = 16

    def __init__(self, context: Context) -> None:
        self.objectives = (Objective("free", "", "max"),)
        self._context, self._costs = context, CostEvaluator(context)
        names = [name for name in FREE_SCORES if name in OPTIONS] if context.data is not None else []
        proxies = [load_proxy(name, **OPTIONS[name]) for name in names]
        self._names, self._scores = ("flops", *names), Scores(context, proxies) if proxies else None
        settings = [REFERENCES, dict(FREE_SCORES), self._costs.fingerprint, context.seed]
        self.fingerprint = (
            fingerprint("free", 1, settings)
            if self._scores is None
            else scores_fingerprint(self._scores, "free", 1, settings)
        )
        given = context.options.get("free_reference")
        if given is not None:
            self.reference = read_free_reference(given)
            if self.reference.fingerprint != self.fingerprint:
                raise DataError(f"{given} is of other data, space, skeleton or seed: remove it to make another")

    @cached_property
    def reference(self) -> FreeReference:
        """The sample that scores are ranked in; scored when first asked for."""
        space, rng = self._context.space, np.random.default_rng([self._context.seed, 5])
        sample = space.sample(REFERENCES, rng, by="choice")
        architectures = [space.canonical(space.decode(genome)) for genome in sample]
        rows = [self._row(architecture) for architecture in architectures]
        columns = {name: tuple(row[i] for row in rows) for i, name in enumerate(self._names)}
        return FreeReference(self.fingerprint, tuple(map(str, architectures)), columns)

    @cached_property
    def _joint(self) -> JointScore:
        return JointScore(self.reference.columns())

    def prepare(self) -> None:
        """Score the reference sample."""
        self._joint  # noqa: B018

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return the joint score of each architecture."""
        self.prepare()

        def compute(architecture: Architecture) -> dict[str, float]:
            row = np.array([self._row(architecture)], dtype=np.float64)
            return {"free": float(self._joint({name: row[:, i] for i, name in enumerate(self._names)})[0])}

        return one_by_one(self.objectives, candidates, compute)

    def _row(self, architecture: Architecture) -> list[float | None]:
        """Return the scores of an architecture in the order of names, None where one fails."""
        flops, _ = self._costs.cost(architecture)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SaturationWarning)  # a saturated score still ranks the others
            scores = () if self._scores is None else self._scores(architecture)
        return [float(flops), *(None if isinstance(score, EvaluationError) else float(score) for score in scores)]
