"""Amounts as screens show them: accuracies in percent with their interval, all else as files hold it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evonas.pareto.front import Member
from evonas.pareto.objective import Constraint, Objective
from evonas.report.origins import number

__all__ = [
    "bound_text",
    "heading",
    "headline",
    "interval_of",
    "is_accuracy",
    "known_heading",
    "reference_text",
    "shown",
    "unit_shown",
]

FRACTION = "fraction of images"
"""Unit of an accuracy in files and in Python, 0 to 1; that of each class alike begins with it."""
_PLAIN = re.compile(r"(acc|balanced_accuracy|recall:.+|robust:.+)_(report|trained|verified|top1|low|high|onnx)")
"""Further numbers that are accuracies, whatever `acc` itself is."""


def is_accuracy(name: str, unit: str = "") -> bool:
    """Whether a number is a share of images, which screens show in percent.

    Args:
        name: Its name.
        unit: Its unit; a column of a table and a score have none, and are shown as they are.
    """
    return unit.startswith(FRACTION) or _PLAIN.fullmatch(name) is not None


def unit_shown(name: str, unit: str) -> str:
    """Unit on a screen: ``%`` of an accuracy, else the number's own; "" where it has none."""
    return "%" if is_accuracy(name, unit) else unit


def shown(value: float | None, name: str, unit: str = "", *, pad: bool = False, with_unit: bool = False) -> str:
    """Number as a screen shows it: an accuracy with two decimals in percent, others as `number` does.

    Args:
        value: As files hold it; None or what is not finite is a dash.
        name: Its name.
        unit: Its unit in files.
        pad: Keep zeros at the end, so that columns line up.
        with_unit: Whether the unit follows.
    """
    percent = is_accuracy(name, unit)
    text = number(value, pad=pad)
    if percent and text != "–" and value is not None:
        text = f"{100 * value:.2f}"
    ending = unit_shown(name, unit) if with_unit and text != "–" else ""
    return f"{text} {ending}".strip()


def interval_of(member: Member, objective: Objective) -> tuple[float, float] | None:
    """Ends of an accuracy's interval, as files hold them; None where the accuracy has none."""
    low, high = (member.known.get(f"{objective.name}_{end}") for end in ("low", "high"))
    return None if low is None or high is None or not is_accuracy(objective.name, objective.unit) else (low, high)


def headline(member: Member, objective: Objective, *, pad: bool = False, with_unit: bool = False) -> str:
    """Value of an objective on a screen; an accuracy with an interval as ``93.2 (91.0 to 95.0)``.

    Args:
        member: Whose.
        objective: The objective.
        pad: As for `shown`.
        with_unit: Likewise: ``93.2 % (91.0 to 95.0)``.
    """
    value, ends = member.values[objective.name], interval_of(member, objective)
    if ends is None:
        return shown(value, objective.name, objective.unit, pad=pad, with_unit=with_unit)
    return f"{100 * value:.1f}{' %' if with_unit else ''} ({100 * ends[0]:.1f} to {100 * ends[1]:.1f})"


def heading(objective: Objective) -> str:
    """Objective's name with the direction that is better, and its unit on screens."""
    arrow, unit = "↑" if objective.direction == "max" else "↓", unit_shown(objective.name, objective.unit)
    return f"{objective.name} {arrow}" + (f" ({unit})" if unit else "")


def known_heading(name: str) -> str:
    """Heading of a further number."""
    return f"{name} (%)" if is_accuracy(name) else name


def reference_text(objectives: Sequence[Objective], values: Sequence[float]) -> str:
    """Values of objectives on a screen, such as those of a reference point; "" where there are none."""
    pairs = zip(objectives, values, strict=bool(values))
    return ", ".join(f"{o.name} {shown(v, o.name, o.unit, with_unit=is_accuracy(o.name, o.unit))}" for o, v in pairs)


def bound_text(constraint: Constraint, unit: str = "") -> str:
    """Bound on a screen, such as ``acc ≥ 95 %``.

    Args:
        constraint: The bound.
        unit: The objective's in files; "" of a score or a table's column.
    """
    sign = "≤" if constraint.sign == "<=" else "≥"
    percent = is_accuracy(constraint.objective, unit)
    bound = f"{number(100 * constraint.bound)} %" if percent else number(constraint.bound)
    return f"{constraint.objective} {sign} {bound}"
