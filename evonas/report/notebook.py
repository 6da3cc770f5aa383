"""A run as a notebook shows it: a small picture of the front, the cards, how far to trust them, where the report is."""

from __future__ import annotations

import base64
from contextlib import suppress
from html import escape

from evonas.errors import MissingExtraError
from evonas.pareto.front import Member
from evonas.pareto.short_id import short_id
from evonas.report.amounts import heading, headline
from evonas.report.cards import cards, no_knee
from evonas.report.contents import Contents, gather
from evonas.report.draw import plot_front
from evonas.report.terminal import title_of
from evonas.report.trust import trust_line
from evonas.runs.presentation import Png
from evonas.runs.run import Run

__all__ = ["run_html", "run_plot"]

DPI = 80
"""Of the picture beside the cards: a notebook keeps it."""


def run_html(run: Run) -> str:
    """Return a run as HTML, everything from it escaped; it may still be searching."""
    contents = gather(run)
    front = contents.front
    parts = [f"<p><b>{escape(str(run.path))}</b>: {escape(title_of(front, front))}</p>"]
    if not contents.ended:
        parts.append("<p>The search has not ended; this is the front so far.</p>")
    if len(front):
        with suppress(MissingExtraError):
            picture = base64.b64encode(plot_front(contents, _marked(contents, None), dpi=DPI)).decode()
            parts.append(f"<img alt='The front' style='max-width: 100%' src='data:image/png;base64,{picture}'>")
        parts += [_cards(contents), f"<p>{escape(trust_line(run.manifest, run.settings, front.objectives))}</p>"]
    if why := no_knee(run.manifest):
        parts.append(f"<p>{escape(why)}</p>")
    if (report := run.path / "report.html").exists():
        parts.append(f"<p>Report: <code>{escape(str(report))}</code></p>")
    return f"<div>{''.join(parts)}</div>"


def run_plot(run: Run, select: str | None) -> Png:
    """Return the picture of a run's front.

    Args:
        run: The run, open.
        select: The member to mark; None: the knee, unless the search has learnt nothing yet.

    Raises:
        MissingExtraError: matplotlib is not installed.
        EvonasError: No such member.
    """
    contents = gather(run)
    return Png(plot_front(contents, _marked(contents, select)))


def _marked(contents: Contents, select: str | None) -> Member | None:
    if select is None and (not len(contents.front) or no_knee(contents.manifest)):
        return None
    return contents.front.select(select or "knee")


def _cards(contents: Contents) -> str:
    titles = ["", "index", "id", *map(heading, contents.objectives), "for"]
    rows = []
    for card in cards(contents.front, contents.manifest):
        member = contents.front[card.index]
        amounts = [headline(member, objective, with_unit=False) for objective in contents.objectives]
        cells = [str(card.index), short_id(member.architecture), *amounts, card.need]
        rows.append(f"<tr><th>{escape(card.name)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
