"""``evonas train``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.options import MEMBER


def train(
    run: Annotated[Path, typer.Argument(help="The run directory.")],
    select: Annotated[
        str,
        typer.Option(help=f"{MEMBER}, or front: every member."),
    ] = "knee",
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A recipe's name or TOML file. [default: finetune for a run from published weights, else quick]"
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs instead of the recipe's.")] = None,
    weights: Annotated[
        str, typer.Option(help="First weights: inherited, fresh, or anchor: those of its short training in the search.")
    ] = "inherited",
    pretrained: Annotated[
        str,
        typer.Option(
            help="Or: auto, as --weights says; none, fresh; published ones of the run's space, by name or TOML file."
        ),
    ] = "auto",
    distill: Annotated[bool, typer.Option("--distill", help="Imitate the supernet's largest path besides.")] = False,
    seed: Annotated[list[int] | None, typer.Option(help="Repeat for several trainings. [default: 0]")] = None,
    data: Annotated[
        str | None, typer.Option(help="Where the run's data are now, the same ones. [default: where they were]")
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option(help="Where the run's table is now; repeat for several. [default: where it was]")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Train a member of the front to the end and read its test accuracy, once."""
    from evonas.runs.run import Run

    with Run.open(run) as opened:  # a wrong path ends here, before anything heavy is imported
        settings, manifest = opened.settings, opened.manifest
    from evonas.cli.progress import make_progress
    from evonas.cli.stopping import words_when_stopped
    from evonas.report.cards import knee_warning
    from evonas.runs.selection import check_selection
    from evonas.training.recipe import load_recipe, usual_recipe

    check_selection(run, select)
    for line in knee_warning(manifest, select):
        typer.echo(line, err=True)
    chosen = load_recipe(recipe or usual_recipe(settings), **({} if epochs is None else {"epochs": epochs}))
    from evonas.deployment import train_members, training_summary
    from evonas.deployment.transfer import transfer_lines

    with words_when_stopped(lambda: "Stopped; the epochs done are kept. Type the same command again to go on."):
        trained = train_members(
            run,
            select,
            chosen,
            seeds=seed or (0,),
            weights=weights,  # type: ignore[arg-type]  # any text; other words are refused
            pretrained=pretrained,
            teacher="largest" if distill else None,
            data=data,
            table=table or (),
            progress=make_progress(quiet),
        )
    for line in training_summary(trained):
        typer.echo(line)
    for line in transfer_lines(run, trained, data):
        typer.echo(line)
    member = shlex.quote("knee" if select == "front" else select)
    typer.echo(f"Next:\n  evonas deploy {shlex.quote(str(run))} --select {member}")
