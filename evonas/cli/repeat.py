"""``evonas repeat``: the same search with several seeds, and how they compare."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.search import Mlflow, Quiet, Tensorboard

if TYPE_CHECKING:
    from evonas.pipeline.seeds import SeedFolder

POINTS, RETURNING, SEEDS = 5, 3, 6
"""Points of the median front, architectures and seeds that are printed at most: all of it has under 25 lines."""


def repeat(
    run: Annotated[Path, typer.Argument(help="A run that ended, or a folder of several seeds to go on with.")],
    seeds: Annotated[
        int | None,
        typer.Option(help="Seeds in all, counted up from the run's own, which is one of them. \\[default: 5]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to make. \\[default: RUN-seeds, beside the run]")] = None,
    tensorboard: Tensorboard = False,
    mlflow: Mlflow = None,
    quiet: Quiet = False,
) -> None:
    """Repeat a search with other seeds, and say how much the fronts differ; a folder that was stopped goes on."""
    from evonas.errors import SettingsError
    from evonas.runs.run import Run
    from evonas.runs.seed_folder import SEEDS_FILE

    if (run / SEEDS_FILE).exists():
        if out is not None:
            raise SettingsError(f"{run} holds several seeds already and goes on where it is: leave out --out")
        from evonas.pipeline.seeds import SeedFolder

        folder = SeedFolder.open(run).extended(seeds)
    else:
        with Run.open(run) as opened:
            from evonas.pipeline.seeds import SeedFolder

            folder = SeedFolder.beside(opened, 5 if seeds is None else seeds, out)
    search_seeds(folder, tensorboard, mlflow, quiet, None)


def search_seeds(folder: SeedFolder, tensorboard: bool, mlflow: str | None, quiet: bool, began: float | None) -> None:
    """Search with the seeds of a folder that have not ended, then compare all and show it.

    Args:
        folder: The folder.
        tensorboard: As for ``evonas search``.
        mlflow: Likewise.
        quiet: Likewise.
        began: When the command began, by `time.monotonic`; None: now.
    """
    from evonas.cli.progress import make_progress
    from evonas.cli.search import listeners_of
    from evonas.cli.stopping import words_when_stopped
    from evonas.report.seeds_page import write_seeds_report

    def stopped() -> str:
        where = shlex.quote(str(folder.path))
        return f"Stopped; nothing that was evaluated is lost. Continue with\n  evonas repeat {where}"

    with words_when_stopped(stopped):
        folder.search(lambda: make_progress(quiet), lambda progress: listeners_of(tensorboard, mlflow, progress), began)
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
