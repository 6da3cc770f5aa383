"""A job: one evaluation on its way to wherever it is computed, and what comes back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from evonas.errors import EvaluationError
from evonas.objectives import Evaluator
from evonas.objectives.result import Result
from evonas.spaces import Candidate

JOB_RETRIES = 1
"""How often a job is tried again whose worker died or timed out."""


class Job(NamedTuple):
    """An evaluation to be computed: its number, the objective that names the evaluator, the candidate's text."""

    number: int
    objective: str
    candidate: str


Row = dict[str, Result]
"""Results of one candidate, by objective."""


class Pool(Protocol):
    """Workers that compute jobs.

    Attributes:
        size: Tasks that are computed at a time.
    """

    size: int

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take jobs in; they may finish in any order."""

    def next(self) -> tuple[int, Row]:
        """Wait for any job to finish; return its number and what came of it. Failures are results as well."""

    def close(self) -> None:
        """End whatever computes; nothing that was not returned is kept."""


def attempt(evaluator: Evaluator, candidates: Sequence[Candidate]) -> list[Row]:
    """Evaluate; whatever goes wrong is a result with its cause, of the candidate that it went wrong with.

    Args:
        evaluator: It may raise: another package's need not keep to the contract.
        candidates: Candidates with canonical architectures.
    """
    start = time.perf_counter()
    try:
        rows = evaluator.evaluate(candidates)
        if len(rows) != len(candidates):
            raise EvaluationError(f"expected {len(candidates)} results, got {len(rows)}")
        missing = [o.name for o in evaluator.objectives if any(o.name not in row for row in rows)]
        if missing:
            raise EvaluationError(f"expected a result of {missing[0]}, got none")
        return rows
    except Exception as error:
        if _from_interrupt(error):
            raise KeyboardInterrupt from error
        # A batch that fails as a whole names no culprit: one by one, only what is at fault fails.
        if len(candidates) > 1:
            return [row for candidate in candidates for row in attempt(evaluator, [candidate])]
        return [failed(evaluator, cause_of(error), time.perf_counter() - start)]


def _from_interrupt(error: BaseException) -> bool:
    """Whether an error stands for Ctrl-C: some libraries turn one that comes during a callback into their own."""
    links: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in links:
        links.append(link)
        link = link.__cause__ or link.__context__
    return any(isinstance(one, KeyboardInterrupt) or "KeyboardInterrupt" in str(one) for one in links)


def failed(evaluator: Evaluator, cause: str, seconds: float) -> Row:
    """Return a failure of every objective of an evaluator."""
    return {objective.name: Result(None, cause, seconds) for objective in evaluator.objectives}


def cause_of(error: BaseException) -> str:
    """Return an error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
