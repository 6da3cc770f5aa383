"""Tables for the terminal."""

from __future__ import annotations

from rich.table import Table

from evonas.pareto.front import Front
from evonas.report.origins import number as short

JUDGES = ("_report", "_measured", "_trained")
"""Endings of what is shown first: numbers that judge an objective's estimate."""


def front_table(front: Front, limit: int | None = None, width: int | None = None) -> Table:
    """Return a front as a table: numbers of members, objectives, what else is known.

    Args:
        front: The front.
        limit: Most rows; the middle is left out.
        width: Characters of a line: what is known besides the objectives is left out where it has no room.
    """
    more = _with_room(front, width)
    table = Table(title=f"{len(front)} members on the front", title_justify="left")
    table.add_column("index", justify="right")
    for objective in front.objectives:
        arrow = "↑" if objective.direction == "max" else "↓"
        unit = f"\n{objective.unit}" if objective.unit else ""
        table.add_column(f"{objective.name} {arrow}{unit}", justify="right", no_wrap=True)
    for name in more:
        table.add_column(name, justify="right", no_wrap=True)
    last = -1
    for index in _shown(len(front), limit):
        if index != last + 1:
            table.add_row("…", *["…"] * (len(front.objectives) + len(more)))
        member = front[index]
        cells = [short(member.values[o.name]) for o in front.objectives]
        cells += [short(member.known[name]) if name in member.known else "" for name in more]
        table.add_row(f"{index}{' !' if member.breaks else ''}", *cells)
        last = index
    return table


def _with_room(front: Front, width: int | None) -> list[str]:
    """Return the names of what else is known that a line has room for, what judges an estimate first."""
    more = sorted(front.columns[1 + len(front.objectives) : -1], key=lambda name: not name.endswith(JUDGES))
    taken = 10 + sum(3 + max(9, len(o.name) + 2, len(o.unit)) for o in front.objectives)
    while width is not None and more and taken + sum(3 + max(8, len(name)) for name in more) > width:
        more.pop()
    return more


def _shown(members: int, limit: int | None) -> list[int]:
    """Return the numbers of the members shown: the middle is left out where there are more than `limit`."""
    numbers = list(range(members))
    if limit is None or members <= limit:
        return numbers
    return [*numbers[: limit // 2], *numbers[-(limit - limit // 2) :]]


def number(value: float) -> str:
    """Return a number as people read it: whole numbers grouped, others with four digits."""
    if value == int(value) and abs(value) >= 1000:
        return f"{int(value):,}"
    return f"{value:.4g}"
