"""Searches with several seeds on the terminal: what is shown while they run, and how they compare."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evonas.files.progress import Progress
    from evonas.pipeline.seeds import Follower, SeedFolder

__all__ = ["search_seeds"]

POINTS, RETURNING, SEEDS = 5, 3, 6
"""Points of the median front, architectures and seeds that are printed at most: all of it has under 25 lines."""


def search_seeds(
    folder: SeedFolder, follow: Callable[[Progress], list[Follower]], quiet: bool, began: float | None
) -> None:
    """Search with the seeds of a folder that have not ended, then compare all and show it.

    Args:
        folder: The folder.
        follow: Makes what follows one search, such as its report.
        quiet: Whether no progress is shown.
        began: When the command began, by `time.monotonic`; None: now.
    """
    from evonas.cli.progress import make_progress
    from evonas.cli.stopping import words_when_stopped
    from evonas.report.seeds_page import write_seeds_report
    from evonas.runs.seed_folder import SEEDS_FILE

    def stopped() -> str:
        if not (folder.path / SEEDS_FILE).exists():  # it goes with a search that left nothing
            return "Stopped before anything was evaluated."
        where = shlex.quote(str(folder.path))
        return f"Stopped; nothing that was evaluated is lost. Continue with\n  evonas repeat {where}"

    with words_when_stopped(stopped):
        folder.search(lambda: make_progress(quiet), follow, began)
        found = folder.compare()
        runs = {seed: folder.home(seed) for seed in folder.seeds}
        write_seeds_report(folder.path, found, runs, folder.failed)
    _print(folder, found)


def _print(folder: SeedFolder, found: Any) -> None:
    from rich.console import Console

    from evonas.report import seeds_listing as listing
    from evonas.report.closing import wrapped

    console = Console()
    rows = listing.seed_rows(found)
    further = len(rows) - SEEDS
    shown = rows if further <= 0 else rows[: SEEDS - 1]
    lines = _columns(listing.seed_headings(found), shown, console.width)
    if further > 0:
        lines.append(f"  and {further + 1} more seeds in {folder.path / 'comparison.json'}")
    lines += wrapped([*listing.words(found), f"{listing.median_title(found)}:"], console.width)
    headings = [listing.short_heading(objective) for objective in found.objectives]
    if median := listing.median_rows(found, POINTS):
        lines += _columns(headings, median, console.width)
    returning = listing.returning_rows(found, RETURNING)
    lines += wrapped([listing.returning_title(found) + (":" if returning else ".")], console.width)
    if returning:
        lines += _columns(["id", "seeds", *headings], returning, console.width)
    lines += wrapped([f"Drawing, page and tables: {folder.path}/report.html, attainment.png, *.csv"], console.width)
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _columns(headings: list[str], rows: list[list[str]], width: int) -> list[str]:
    """Return rows below their headings, right-aligned; columns that have no room are left out from the right."""
    widths = [max(len(line[i]) for line in [headings, *rows]) + 2 for i in range(len(headings))]
    while len(widths) > 1 and sum(widths) > width:
        widths.pop()
    return ["".join(cell.rjust(w) for cell, w in zip(line, widths, strict=False)) for line in [headings, *rows]]
