"""``evonas verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from evonas.deployment.verification import Verification


def verify(
    run: Annotated[Path, typer.Argument(help="The run directory.")],
    select: Annotated[
        str, typer.Option(help="front: every member; or knee, best:OBJECTIVE, index:N, an architecture's text.")
    ] = "front",
    trained: Annotated[
        bool, typer.Option("--trained", help="Read test accuracies of trained weights again; each access is logged.")
    ] = False,
    table: Annotated[
        list[str] | None, typer.Option(help="Where the run's table is now; repeat for several. [default: where it was]")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Where the run's data are now, the same ones. [default: where they were]")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Measure members again and show what moved by more than its noise; exit code 1 if something did."""
    from evonas.runs.run import Run

    with Run.open(run) as opened:  # a wrong path ends here, before anything heavy is imported
        manifest = opened.manifest
    from rich.console import Console

    from evonas.cli.progress import make_progress
    from evonas.cli.stopping import words_when_stopped
    from evonas.report.cards import knee_warning
    from evonas.runs.selection import check_selection

    check_selection(run, select)
    for line in knee_warning(manifest, select):
        typer.echo(line, err=True)
    from evonas.deployment.verify import verify

    with words_when_stopped(lambda: "Stopped; nothing was changed."):
        verification = verify(run, select, trained=trained, table=table or (), data=data, progress=make_progress(quiet))
    Console().print(_table(verification))
    typer.echo("\n".join(verification.summary()))
    raise typer.Exit(1 if verification.moved else 0)


def _table(verification: Verification) -> Table:
    from rich.table import Table

    from evonas.cli.tables import number

    table = Table()
    for heading in ("index", "", "before", "now", "change", "noise", ""):
        table.add_column(heading, justify="left" if heading == "" else "right", no_wrap=heading == "", overflow="fold")
    for one in verification:
        table.add_row(
            "" if one.index is None else str(one.index),
            one.name,
            number(one.before),
            "failed" if one.now != one.now else number(one.now),
            f"{one.now - one.before:+.2g}" if one.now != one.before else "0",
            f"{one.noise:.2g}",
            "moved" if one.moved else "holds",
        )
    return table
