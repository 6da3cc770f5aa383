"""Objectives: named numbers with unit and direction, constraints on them, and the evaluators that compute them.

An evaluator is made from a `Context` (space, skeleton, data, supernet, …) and returns for each architecture a
`Result` per objective: a value or the cause why there is none. Another package adds one under the entry points
group ``evonas.evaluators``: a factory that takes a `Context`.
"""

from typing import TYPE_CHECKING

from evonas.files.lazy import lazy_names

if TYPE_CHECKING:
    from evonas.objectives.evaluator import (
        Context,
        Evaluator,
        check_objectives,
        fingerprint,
        known_objectives,
        make_evaluator,
        torch_threads,
    )
    from evonas.objectives.result import Result

__all__ = [
    "Context",
    "Evaluator",
    "Result",
    "check_objectives",
    "fingerprint",
    "known_objectives",
    "make_evaluator",
    "torch_threads",
]

__getattr__, __dir__ = lazy_names(
    "evonas.objectives",
    {
        "Context": "evonas.objectives.evaluator",
        "Evaluator": "evonas.objectives.evaluator",
        "Result": "evonas.objectives.result",
        "check_objectives": "evonas.objectives.evaluator",
        "fingerprint": "evonas.objectives.evaluator",
        "known_objectives": "evonas.objectives.evaluator",
        "make_evaluator": "evonas.objectives.evaluator",
        "torch_threads": "evonas.objectives.evaluator",
    },
)
