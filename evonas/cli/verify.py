"""``evonas verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from evonas.deployment.verify import Check


def verify(
    run: Annotated[Path, typer.Argument(help="The run directory.")],
    select: Annotated[
        str, typer.Option(help="front: every member; or knee, best:OBJECTIVE, index:N, an architecture's text.")
    ] = "front",
    trained: Annotated[
        bool, typer.Option("--trained", help="Read test accuracies of trained weights again; such a look is logged.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Measure members again and say what moved by more than its noise; exit code 1 if something did."""
    from evonas.runs.run import Run

    Run.open(run).close()  # a wrong path ends here, before anything heavy is imported
    from rich.console import Console

    from evonas.cli.progress import make_progress
    from evonas.runs.selection import check_selection

    check_selection(run, select)
    from evonas.deployment.verify import verify

    try:
        checks = verify(run, select, trained=trained, progress=make_progress(quiet))
    except KeyboardInterrupt:
        typer.echo("\nStopped; nothing was changed.", err=True)
        raise typer.Exit(130) from None
    Console().print(_table(checks))
    moved = [check for check in checks if check.moved]
    for name in dict.fromkeys(check.name for check in moved):
        places = ", ".join("?" if c.place is None else str(c.place) for c in moved if c.name == name)
        typer.echo(f"Moved by more than its noise: {name} of {places}")
    typer.echo(f"{len(checks) - len(moved)} of {len(checks)} numbers hold within their noise.")
    for name, by in {check.name: check.by for check in checks}.items():
        typer.echo(f"  {name}: {by}" + ("" if any(c.noise for c in checks if c.name == name) else "; no noise"))
    for name, why in checks.skipped.items():
        typer.echo(f"  {name} was not measured: {why}")
    raise typer.Exit(1 if moved else 0)


def _table(checks: list[Check]) -> Table:
    from rich.table import Table

    from evonas.cli.tables import number

    table = Table()
    for heading in ("index", "", "before", "now", "change", "noise", ""):
        table.add_column(heading, justify="left" if heading == "" else "right", no_wrap=heading == "", overflow="fold")
    for check in checks:
        table.add_row(
            "" if check.place is None else str(check.place),
            check.name,
            number(check.before),
            "failed" if check.now != check.now else number(check.now),
            f"{check.now - check.before:+.2g}" if check.now != check.before else "0",
            f"{check.noise:.2g}",
            "moved" if check.moved else "holds",
        )
    return table
