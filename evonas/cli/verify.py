"""``evonas verify``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from evonas.cli.options import MEMBER, NewTable, Quiet
from evonas.errors import SettingsError

if TYPE_CHECKING:
    from rich.table import Table

    from evonas.deployment.verification import Verification


def verify(
    run: Annotated[Path, typer.Argument(help="The run directory, or the folder of a deployed model.")],
    select: Annotated[
        str,
        typer.Option(help=f"front: every member; or {MEMBER}."),
    ] = "front",
    trained: Annotated[
        bool, typer.Option("--trained", help="Read test accuracies of trained weights again; each access is logged.")
    ] = False,
    table: NewTable = None,
    data: Annotated[
        str | None, typer.Option(help="Where the data are now, the same ones. [default: where they were]")
    ] = None,
    ranking: Annotated[
        int | None,
        typer.Option(
            help="Instead: train that many members, and as many random architectures of equal FLOPs, to the end, and "
            "say how well the search had ranked them. Typed again it goes on."
        ),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Recipe of these trainings, a name or TOML file. [default: that of evonas train]")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Measure members again and show what moved by more than its noise; exit code 1 if something did."""
    if recipe is not None and ranking is None:
        raise SettingsError("--recipe goes with --ranking N, got it alone: evonas train takes it too")
    if ranking is not None and (trained or table or select != "front"):
        raise SettingsError("--ranking chooses its own members: leave out --select, --trained and --table")
    if (run / "card.json").is_file():
        if select != "front" or table or ranking is not None:
            raise SettingsError(
                f"{run} is a deployed model, of which --trained and --data alone say how it is verified: leave out "
                "--select, --table and --ranking"
            )
        _verify_folder(run, trained, data)
    from evonas.runs.run import Run

    with Run.open(run) as opened:  # a wrong path ends here, before anything heavy is imported
        manifest = opened.manifest
    from rich.console import Console

    from evonas.cli.progress import make_progress
    from evonas.cli.stopping import words_when_stopped
    from evonas.report.cards import knee_warning
    from evonas.runs.selection import check_selection

    check_selection(run, select)
    if ranking is not None:
        _rank(run, ranking, recipe, data, quiet)
        return
    for line in knee_warning(manifest, select):
        typer.echo(line, err=True)
    from evonas.deployment.verify import verify

    with words_when_stopped(lambda: "Stopped; nothing was changed."):
        verification = verify(run, select, trained=trained, table=table or (), data=data, progress=make_progress(quiet))
    if verification.moved:
        Console().print(_table(verification, {o["name"]: o["unit"] for o in manifest.get("objectives", ())}))
    typer.echo("\n".join(verification.summary()))
    raise typer.Exit(1 if verification.moved else 0)


def _rank(run: Path, number: int, recipe: str | None, data: str | None, quiet: bool) -> None:
    """Train members and random architectures, and show how well they were ranked."""
    from evonas.cli.progress import make_progress
    from evonas.cli.stopping import words_when_stopped
    from evonas.deployment import verify_ranking

    with words_when_stopped(lambda: "Stopped; what was trained is kept. Type the same command again to go on."):
        check = verify_ranking(run, number, recipe, data=data, progress=make_progress(quiet))
    typer.echo("\n".join(check.summary()))


def _verify_folder(folder: Path, trained: bool, data: str | None) -> NoReturn:
    """Check a deployed folder and leave with the exit code."""
    from rich.console import Console

    from evonas.cli.stopping import words_when_stopped
    from evonas.deployment.folder_check import read_card, verify_folder

    with words_when_stopped(lambda: "Stopped; nothing was changed."):
        verification = verify_folder(folder, trained=trained, data=data)
    if verification.moved:
        units = {figure["name"]: figure["unit"] for figure in read_card(folder)["figures"]}
        Console().print(_table(verification, units))
    typer.echo("\n".join(verification.summary()))
    raise typer.Exit(1 if verification.moved else 0)


def _table(verification: Verification, units: Mapping[str, str]) -> Table:
    """Return the numbers that moved; accuracies in percent."""
    from rich.table import Table

    from evonas.report.amounts import is_accuracy, shown, unit_shown

    table = Table()
    for heading in ("index", "", "before", "now", "change", "noise", ""):
        table.add_column(heading, justify="left" if heading == "" else "right", no_wrap=heading == "", overflow="fold")
    for one in verification.moved:
        unit = units.get(one.name, "")
        scale = 100 if is_accuracy(one.name, unit) else 1
        table.add_row(
            "" if one.index is None else str(one.index),
            f"{one.name} {unit_shown(one.name, unit)}".strip(),
            shown(one.before, one.name, unit),
            "failed" if one.now != one.now else shown(one.now, one.name, unit),
            f"{scale * (one.now - one.before):+.2g}",
            f"{scale * one.noise:.2g}",
            "moved",
        )
    return table
