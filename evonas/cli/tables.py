"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table

from evonas.pareto.front import Front
from evonas.pareto.objective import Objective
from evonas.report.amounts import headline, known_heading, shown, unit_shown
from evonas.report.cards import Card
from evonas.report.terminal import title_of


def cards_table(front: Front, chosen: Sequence[Card], width: int) -> Table:
    """Return the cards of a front as a table: name, number on the front, objectives, what judges them, the need.

    Args:
        front: The front.
        chosen: Its cards.
        width: Characters of a line: what is known beside the objectives is left out where it has no room.
    """
    first = front.objectives[0].name
    names = [name for name in (f"{first}_report",) if name in front.columns]
    needs = max((len(word) for card in chosen for word in card.need.split(", ")), default=0)
    cells = [[c.name, str(c.index), *(headline(front[c.index], o) for o in front.objectives)] for c in chosen]
    titles = ["", "index", *(_title(objective) for objective in front.objectives)]
    taken = sum(_widest([title, *(row[i] for row in cells)]) + 3 for i, title in enumerate(titles))
    beside = sum(3 + max(8, len(known_heading(name))) for name in names)
    if taken + needs + 4 + beside > width:
        names, beside = [], 0
    table = Table(title=title_of(front, front), title_justify="left")
    table.add_column("", no_wrap=True)
    for title in (*titles[1:], *map(known_heading, names)):
        table.add_column(title, justify="right", no_wrap=True)
    with_need = taken + needs + 4 + beside <= width
    if with_need:
        table.add_column("for")
    for card, row in zip(chosen, cells, strict=True):
        member = front[card.index]
        row[1] += " !" if member.breaks else ""
        row += [shown(member.known[name], name) if name in member.known else "" for name in names]
        table.add_row(*row, *([card.need] if with_need else []))
    return table


def _title(objective: Objective) -> str:
    unit = unit_shown(objective.name, objective.unit)
    unit = f"\n{unit}" if unit else ""
    return f"{objective.name} {'↑' if objective.direction == 'max' else '↓'}{unit}"


def _widest(texts: Iterable[str]) -> int:
    return max(len(line) for text in texts for line in text.splitlines() or [""])


def number(value: float) -> str:
    """Return a number as people read it: whole numbers grouped, others with four digits."""
    if value == int(value) and abs(value) >= 1000:
        return f"{int(value):,}"
    return f"{value:.4g}"
