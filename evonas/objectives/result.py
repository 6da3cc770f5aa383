"""The result of one evaluation: a value, or the cause why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evonas.errors import EvaluationError

__all__ = ["Result"]


@dataclass(frozen=True, slots=True)
class Result:
    """Result of an evaluation: exactly one of `value` and `cause`, and how long it took.

    Raises:
        ValueError: Both or neither is given, or the value is not finite.
    """

    value: float | None
    cause: str | None
    seconds: float

    def __post_init__(self) -> None:
        if (self.value is None) == (self.cause is None):
            raise ValueError(f"Expected a value or a cause, got {self.value} and {self.cause!r}")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"Expected a finite value, got {self.value}: give its cause instead")

    def required(self, what: str) -> float:
        """Return the value where nothing can go on without it.

        Args:
            what: Is evaluated, in words that begin a sentence.

        Raises:
            EvaluationError: There is none; the message holds the cause.
        """
        if self.value is None:
            raise EvaluationError(f"{what} could not be evaluated: {self.cause}")
        return self.value
