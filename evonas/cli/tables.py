"""Tables for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from evonas.pareto.front import Front
from evonas.pareto.objective import Objective
from evonas.report.amounts import headline, known_heading, shown, unit_shown
from evonas.report.cards import Card
from evonas.report.terminal import title_of

KEPT = "\N{NO-BREAK SPACE}"
"""Between a number and its unit, which stay on one line."""


def cards_table(front: Front, chosen: Sequence[Card], width: int) -> Table | Text:
    """Return the cards of a front as a table: name, number on the front, objectives, what measured them, the need.

    Where the table has no room it is sentences instead, one card after the other.

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
    if taken + 1 > width:
        return _cards_text(front, chosen, width)
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


def _cards_text(front: Front, chosen: Sequence[Card], width: int) -> Text:
    """Return the cards as lines of at most so many characters, no word broken."""
    lines = [title_of(front, front)]
    for card in chosen:
        member = front[card.index]
        values = [f"{o.name} {headline(member, o, with_unit=True)}".replace(" ", KEPT) for o in front.objectives]
        words = f"{card.name} (index {card.index}{' !' if member.breaks else ''}): {', '.join(values)}; {card.need}"
        lines += textwrap.wrap(words, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return Text("\n".join(lines).replace(KEPT, " "))


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
