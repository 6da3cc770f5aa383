"""Table of the front's members on the report's page: its script sorts and filters it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonas.pareto.front import Front, Member
from evonas.pareto.short_id import short_id
from evonas.report.amounts import heading, is_accuracy, known_heading
from evonas.report.cards import Card
from evonas.report.contents import Contents
from evonas.report.listing import further, row
from evonas.report.markup import text

__all__ = ["members_table"]

MOST_ROWS = 500
"""Rows at most."""


def members_table(contents: Contents, chosen: Sequence[Card]) -> str:
    """Return the table: one row per member; those equal in every objective are folded into the first of them.

    Args:
        contents: The run.
        chosen: Cards of its front, whose names stand beside their members.
    """
    front, names = contents.front, further(contents.front)
    titles = [("member", ""), ("id", ""), *((heading(o), o.name) for o in front.objectives)]
    titles += [(known_heading(name), name) for name in names]
    head = "".join(
        f"<th scope='col' aria-sort='none'><button type='button' class='sort' data-name='{text(name)}'>{text(title)}"
        "</button></th>"
        for title, name in titles
    )
    carded = {card.index: card.name for card in chosen}
    rows = "".join(
        _row(front, index, names, carded.get(index, ""), equal)
        for index, equal in list(_equals(front).items())[:MOST_ROWS]
    )
    note = " ! breaks a constraint as measured." if any(member.breaks for member in front) else ""
    if len(front) > MOST_ROWS:
        note += f" The first {MOST_ROWS} of {len(front)} are listed; front.csv has all."
    example = ""
    if len(front):
        last, member = front.objectives[-1], front[len(front) // 2]
        example = text(f"{last.name}<={_number(member, last.name, last.unit):.3g}, or ")
    return (
        "<section class='card' aria-labelledby='members'><h2 id='members'>Members of the front</h2>"
        "<p class='filter'><label>Show those with <input id='filter' type='search' autocomplete='off' "
        f"placeholder='{example}part of an id or architecture'></label> <span id='filtered' class='small soft' "
        "role='status'></span></p>"
        "<div class='scroll tall' tabindex='0' role='region' aria-labelledby='members'><table class='full' id='table'>"
        f"<caption>{len(front)} members; ↑ higher is better, ↓ lower is better. A heading sorts, an id shows details."
        f"{text(note)}</caption>"
        f"<thead><tr>{head}<th scope='col'></th></tr></thead><tbody>{rows}</tbody></table></div>"
        "<details id='gallery'><summary>All drawings</summary><div class='gallery'></div></details></section>"
    )


def _equals(front: Front) -> Mapping[int, tuple[int, int]]:
    """Return of each member the first one that equals it in every objective, and how many more do, in their order."""
    values = [tuple(line) for line in front.values.tolist()]
    more = dict(front.distinct())
    first: dict[tuple[float, ...], int] = {}
    return {index: (leader := first.setdefault(line, index), more[leader]) for index, line in enumerate(values)}


def _row(front: Front, index: int, names: Sequence[str], card: str, equal: tuple[int, int]) -> str:
    member, (leader, more) = front[index], equal
    cells = row(index, member, front.objectives, names)
    numbers = [_number(member, o.name, o.unit) for o in front.objectives] + [_number(member, n, "") for n in names]
    shown = "".join(
        f"<td data-v='{'' if value is None else repr(value)}'>{text(cell)}</td>"
        for cell, value in zip(cells[1:], numbers, strict=True)
    )
    hidden = f" data-equal='{leader}' hidden" if leader != index else ""
    words = f"<b>{text(card)}</b> " if card else ""
    if leader == index and more:
        words += f"<button type='button' class='equal' data-leader='{index}'>and {more} more of equal value</button> "
    return (
        f"<tr data-index='{index}' aria-selected='false'{hidden}><th scope='row' data-v='{index}'>{text(cells[0])}</th>"
        f"<td data-v=''><button type='button' class='show' aria-label='show member {index}'>"
        f"{short_id(member.architecture)}</button></td>{shown}<td class='left'>{words}</td></tr>"
    )


def _number(member: Member, name: str, unit: str) -> float | None:
    """Return a number on the scale that the page shows; None where it is not known."""
    value = member.values.get(name, member.known.get(name))
    return value if value is None else value * (100 if is_accuracy(name, unit) else 1)
