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
    more = sorted(front.columns[1 + len(front.objectives) : -1], key=lambda name: not name.endswith(JUDGES))
    taken = 10 + sum(3 + max(9, len(o.name) + 2, len(o.unit)) for o in front.objectives)
    while width is not None and more and taken + sum(3 + max(8, len(name)) for name in more) > width:
        more.pop()
    table = Table(title=f"{len(front)} members on the front", title_justify="left")
    table.add_column("index", justify="right")
    for objective in front.objectives:
        arrow = "↑" if objective.direction == "max" else "↓"
        unit = f"\n{objective.unit}" if objective.unit else ""
        table.add_column(f"{objective.name} {arrow}{unit}", justify="right", no_wrap=True)
    for name in more:
        table.add_column(name, justify="right", no_wrap=True)
    places = list(range(len(front)))
    if limit is not None and len(places) > limit:
        places = [*places[: limit // 2], *places[-(limit - limit // 2) :]]
    last = -1
    for place in places:
        if place != last + 1:
            table.add_row("…", *["…"] * (len(front.objectives) + len(more)))
        member = front[place]
        cells = [short(member.values[o.name]) for o in front.objectives]
        cells += [short(member.known[name]) if name in member.known else "" for name in more]
        mark = " !" if member.breaks else ""
        table.add_row(f"{place}{mark}", *cells)
        last = place
    return table


def number(value: float) -> str:
    """Return a number as people read it: whole numbers grouped, others with four digits."""
    if value == int(value) and abs(value) >= 1000:
        return f"{int(value):,}"
    return f"{value:.4g}"
