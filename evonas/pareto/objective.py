"""Objectives and constraints: named numbers with unit and direction, and bounds on them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from evonas.errors import SettingsError
from evonas.pareto.amount import is_fraction, read_amount

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
        short = f"{self.bound:g}"
        return f"{self.objective}{self.sign}{short if float(short) == self.bound else repr(self.bound)}"


def parse_constraint(text: str) -> Constraint:
    """Read a constraint such as ``flops<=20M``, ``latency<=0.2ms``, ``size<=1MB`` or ``acc>=95%``; see `read_amount`.

    Raises:
        SettingsError: Not of the form NAME<=NUMBER or NAME>=NUMBER, or of a unit that the objective does not have.
    """
    match = re.fullmatch(r"\s*([^\s<>=]+)\s*(<=|>=)(.+)", text)
    if match is None:
        raise SettingsError(f"A constraint is NAME<=NUMBER or NAME>=NUMBER, such as flops<=20M, got '{text}'")
    sign: Literal["<=", ">="] = "<=" if match[2] == "<=" else ">="
    return Constraint(match[1], sign, read_amount(match[3], match[1]))


def parse_constraints(texts: Iterable[str]) -> list[Constraint]:
    """Read constraints that are to hold together.

    Raises:
        SettingsError: One is malformed, or two on one objective exclude each other.
    """
    constraints = [parse_constraint(text) for text in texts]
    for upper in (c for c in constraints if c.sign == "<="):
        for lower in constraints:
            if lower.objective == upper.objective and lower.sign == ">=" and lower.bound > upper.bound:
                raise SettingsError(f"Nothing keeps to both {upper} and {lower}: loosen one of them or leave it out")
    return constraints


def check_fraction(constraint: Constraint, largest: float = 1.0) -> None:
    """Refuse a bound above 1 on an accuracy or another fraction: 95 is meant as 95 %.

    Args:
        constraint: The bound.
        largest: Greatest accuracy known, such as of a table whose accuracies are in percent.

    Raises:
        SettingsError: It is above 1, and accuracies are not.
    """
    if is_fraction(constraint.objective) and constraint.bound > 1.0 >= largest:
        name, sign, bound = constraint.objective, constraint.sign, constraint.bound
        raise SettingsError(
            f"'{name}' is a fraction, 0 to 1, got {constraint}: for {bound:g} percent write {name}{sign}{bound:g}%"
        )


def split_direction(text: str) -> tuple[str, str]:
    """Return the name in ``NAME:max`` or ``NAME:min``, and the direction; "" where none is given.

    A name may hold colons and slashes itself: what stands behind the last colon is a direction or part of the name.
    """
    name, colon, direction = text.strip().rpartition(":")
    return (name, direction) if colon and name and direction in ("max", "min") else (text.strip(), "")


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
