"""Objectives and constraints: named numbers with unit and direction, and bounds on them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from evonas.errors import SettingsError

Direction = Literal["max", "min"]


@dataclass(frozen=True, slots=True)
class Objective:
    """A named number of an architecture.

    Attributes:
        name: What users call it and what its column is headed with.
        unit: Such as ``"ms"`` or ``"multiply-adds"``; empty where it has none.
        direction: Whether more or less is better.
    """

    name: str
    unit: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Constraint:
    """A bound on an objective, such as ``latency<=5``; the objective need not be optimized."""

    objective: str
    sign: Literal["<=", ">="]
    bound: float

    def violation(self, value: float) -> float:
        """Return 0 where the value keeps to the bound, else by how much it breaks it, relative to the bound."""
        excess = value - self.bound if self.sign == "<=" else self.bound - value
        return max(0.0, excess) / (abs(self.bound) or 1.0)

    def __str__(self) -> str:
        return f"{self.objective}{self.sign}{self.bound:g}"


def parse_constraint(text: str) -> Constraint:
    """Read a constraint.

    Raises:
        SettingsError: Not of the form NAME<=NUMBER or NAME>=NUMBER.
    """
    match = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*(<=|>=)\s*([-+0-9.eE_]+)\s*", text)
    try:
        bound = float(match[3]) if match else math.nan
    except ValueError:
        bound = math.nan
    if match is None or not math.isfinite(bound):
        raise SettingsError(f"A constraint is NAME<=NUMBER or NAME>=NUMBER, such as flops<=20e6, got '{text}'")
    return Constraint(match[1], match[2], bound)  # type: ignore[arg-type]


def split_names(values: Iterable[str], what: str = "objective") -> tuple[str, ...]:
    """Return the names in comma-separated values, in order; commas inside parentheses belong to a name.

    Raises:
        SettingsError: None, or one twice.
    """
    parts = [part for value in values for part in re.split(r",(?![^()]*\))", value)]
    names = tuple(name for name in ("".join(part.split()) for part in parts) if name)
    if not names:
        raise SettingsError(f"Expected at least one {what}, got none")
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"The {what} '{name}' is given twice: name it once")
    return names
