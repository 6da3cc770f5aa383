"""A task: one evaluation on its way to wherever it is computed, and what comes back."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from evonas.errors import EvaluationError
from evonas.objectives import Evaluator
from evonas.objectives.result import Result
from evonas.spaces import Architecture

RETRIES = 1
"""How often a task is tried again whose worker died or hung."""


class Task(NamedTuple):
    """An evaluation to be computed: its number, the objective that names the evaluator, the architecture's text."""

    number: int
    objective: str
    architecture: str


Row = dict[str, Result]
"""What an evaluator says of one architecture, by objective."""


class Pool(Protocol):
    """Where tasks are computed.

    Attributes:
        size: Tasks that are computed at a time.
    """

    size: int

    def submit(self, tasks: Sequence[Task]) -> None:
        """Take tasks in; they may finish in any order."""

    def next(self) -> tuple[int, Row]:
        """Wait for any task to finish; return its number and what came of it. Failures are results as well."""

    def close(self) -> None:
        """End whatever computes; nothing that was not returned is kept."""


@dataclass(frozen=True)
class Recipe:
    """How a worker makes its evaluators: a description in JSON's types, so that no object travels.

    Attributes:
        make: ``module:function``; called with `arguments` it returns a function from texts to architectures, and
            the evaluators by objective.
        arguments: By keyword, of JSON's types; paths must be readable where the worker runs.
        files: Further arguments: paths of files here whose content may travel to where they are read.
        fingerprints: What each evaluator's fingerprint must be: the same as here.
        threads: Threads of one evaluation, whatever the number of workers.
        path: Where modules are found, as here.
    """

    make: str
    arguments: Mapping[str, Any]
    fingerprints: Mapping[str, str]
    threads: int = 1
    files: Mapping[str, str] = field(default_factory=dict)
    path: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))

    def evaluate(self) -> Callable[[str, str], Row]:
        """Make the evaluators and return a function of objective and architecture's text.

        Raises:
            EvaluationError: An evaluator is not the one that the search has.
            EvonasError: They cannot be made here, such as for want of data.
        """
        import torch

        torch.set_num_threads(self.threads)
        module, _, name = self.make.partition(":")
        parse, evaluators = getattr(import_module(module), name)(**self.arguments, **self.files)
        for objective, expected in self.fingerprints.items():
            came = evaluators[objective].fingerprint
            if came != expected:
                raise EvaluationError(
                    f"The worker's evaluator of '{objective}' has fingerprint {came}, the search's {expected}: data, "
                    "weights or versions differ where the worker runs"
                )
        return lambda objective, text: attempt(evaluators[objective], [parse(text)])[0]


def attempt(evaluator: Evaluator, architectures: Sequence[Architecture]) -> list[Row]:
    """Evaluate; whatever goes wrong is a result with its cause, of the architecture that it went wrong with.

    Args:
        evaluator: It may raise: another package's need not keep to the contract.
        architectures: Canonical architectures.
    """
    start = time.perf_counter()
    try:
        rows = evaluator.evaluate(architectures)
        if len(rows) != len(architectures):
            raise EvaluationError(f"expected {len(architectures)} results, got {len(rows)}")
        missing = [o.name for o in evaluator.objectives if any(o.name not in row for row in rows)]
        if missing:
            raise EvaluationError(f"expected a result of {missing[0]}, got none")
        return rows
    except Exception as error:
        if len(architectures) > 1:  # find the one
            return [row for architecture in architectures for row in attempt(evaluator, [architecture])]
        return [failed(evaluator, cause_of(error), time.perf_counter() - start)]


def failed(evaluator: Evaluator, cause: str, seconds: float) -> Row:
    """Return a failure of every objective of an evaluator."""
    return {objective.name: Result(None, cause, seconds) for objective in evaluator.objectives}


def cause_of(error: BaseException) -> str:
    """Return an error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
