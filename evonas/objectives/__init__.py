"""Objectives: named numbers with unit and direction, constraints on them, and the evaluators that compute them.

An evaluator is made from a `Context` (space, skeleton, data, supernet, …) and returns for each architecture a
`Result` per objective: a value or the cause why there is none. Another package adds one under the entry points
group ``evonas.evaluators``: a factory that takes a `Context`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.files.lazy import lazy_names

if TYPE_CHECKING:
    from evonas.objectives.contract import Context, Evaluator, fingerprint
    from evonas.objectives.registry import check_objectives, known_objectives, make_evaluator
    from evonas.objectives.result import Result

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "contract": ("Context", "Evaluator", "fingerprint"),
        "registry": ("check_objectives", "known_objectives", "make_evaluator"),
        "result": ("Result",),
    },
)

__all__ = [
    "Context",
    "Evaluator",
    "Result",
    "check_objectives",
    "fingerprint",
    "known_objectives",
    "make_evaluator",
]
