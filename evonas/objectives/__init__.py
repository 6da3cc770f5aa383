"""Objectives: named numbers with unit and direction, constraints on them, and the evaluators that compute them.

An evaluator is made from a `Context` (space, skeleton, data, supernet, …) and returns for each architecture a
`Result` per objective: a value or the cause why there is none. Another package adds one under the entry points
group ``evonas.evaluators``: a factory that takes a `Context`.
"""

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
