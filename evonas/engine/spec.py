"""WorkerSpec: how a worker makes its evaluators, in JSON's types."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from evonas.engine.job import Row, attempt
from evonas.errors import EvaluationError

__all__ = ["WorkerSpec"]


@dataclass(frozen=True)
class WorkerSpec:
    """Specification of a worker's evaluators, in JSON's types, so that no object travels.

    Attributes:
        make: ``module:function``; called with `arguments` it returns a function from texts to candidates, and
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
        """Make the evaluators and return a function of objective and candidate's text.

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
