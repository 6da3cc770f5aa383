"""The front for the terminal: its title, the columns that have room, and the lines below it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from evonas.pareto.front import Front, Member
from evonas.report.amounts import reference_text
from evonas.report.cards import no_knee
from evonas.report.contents import Contents
from evonas.report.origins import origin
from evonas.report.trust import trust_sentences

EDGE = 12
"""Characters of a line that borders and the mark of the selected member take."""


def title_of(kept: Front, whole: Front) -> str:
    """Title of a table of members: how many, and of how many where some are left out."""
    if len(kept) < len(whole):
        title = f"{len(kept)} of {len(whole)} members on the front"
    else:
        title = f"{len(kept)} member{'s' if len(kept) != 1 else ''} on the front"
    values = len(kept.distinct())
    return title if values == len(kept) else f"{title}, {values} of different value"


def fitting(titles: Sequence[str], rows: Sequence[Sequence[str]], fixed: int, width: int) -> list[str]:
    """Titles of the columns that a line has room for; the first `fixed` of them stay in any case.

    Args:
        titles: Of all columns, in order.
        rows: Cells of each row.
        fixed: Columns that are always shown.
        width: Characters of a line.
    """
    widths = [max(len(cells[i]) for cells in [titles, *rows]) + 3 for i in range(len(titles))]
    shown = list(titles)
    while len(shown) > fixed and sum(widths[: len(shown)]) + EDGE > width:
        shown.pop()
    return shown


def narrowed(
    titles: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> tuple[list[str], list[list[str]], bool]:
    """Titles and rows of the columns shown, units on a line of their own and without intervals where they do not fit.

    Args:
        titles: Of the columns shown, in order.
        rows: Cells of each row, as many or more.
        width: Characters of a line.

    Returns:
        Titles, rows of as many cells, and whether they were narrowed.
    """
    cells = [list(row[: len(titles)]) for row in rows]
    widths = [max(len(line[i]) for line in [titles, *cells]) + 3 for i in range(len(titles))]
    if sum(widths) + EDGE <= width:
        return list(titles), cells, False
    return [title.replace(" (", "\n(") for title in titles], [[_plain(cell) for cell in row] for row in cells], True


def _plain(cell: str) -> str:
    """Return a value without the interval behind it."""
    return cell.partition(" (")[0]


def lines_below(
    contents: Contents,
    kept: Front,
    numbers: Sequence[int],
    marked: Member | None,
    left: Sequence[str],
    run: str,
    *,
    knee: bool = False,
) -> list[str]:
    """Lines below the table: what is not shown, how far numbers go, where they come from, what to type next.

    Args:
        contents: The run's content.
        kept: The members shown.
        numbers: Number of each on the whole front.
        marked: The selected member; None: none keeps to the bounds.
        left: Names of columns without room.
        run: The run directory, as it was typed.
        knee: Whether the selected member is the knee.
    """
    lines = []
    if knee and marked is not None and len(kept) < len(contents.front):
        lines.append("The knee is that of the members shown, not of the whole front.")
    if left:
        lines.append(f"Not shown for want of room: {', '.join(left)} (--format csv has them).")
    if any(member.breaks for member in kept):
        lines.append("! breaks a constraint now that it was measured whole.")
    whole = contents.front
    if whole.hypervolume is not None:
        lines.append(
            f"Hypervolume {whole.hypervolume:.4f} of the whole front, a share of what was seen to the "
            f"reference point ({reference_text(whole.objectives, whole.reference)})."
        )
    lines.append(
        "  ".join(f"{o.name}: {origin(o.name, contents.settings, o.unit, contents.manifest)}." for o in kept.objectives)
    )
    if "acc" in {o.name for o in kept.objectives}:
        lines += trust_sentences(contents.manifest)[1:4]
    if not contents.ended:
        lines.append("The search has not ended; this is the front so far. To go on:")
        lines.append(f"  evonas resume {shlex.quote(run)}")
    elif marked is not None:
        index = numbers[[member is marked for member in kept].index(True)]
        lines += ["Next:", f"  evonas deploy {shlex.quote(run)} --select index:{index}"]
    elif whole.members and not len(kept):
        lines.append("No member keeps to all of --where.")
    elif whole.members and (why := no_knee(contents.manifest)):
        lines.append(why)
    return lines
