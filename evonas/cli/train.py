"""``evonas train``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.options import MEMBER, NewData, NewTable, Quiet

if TYPE_CHECKING:
    from evonas.deployment.trained import Trained


def train(
    run: Annotated[Path, typer.Argument(help="The run directory.")],
    select: Annotated[
        str,
        typer.Option(help=f"{MEMBER}, or front: every member."),
    ] = "knee",
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A recipe's name or TOML file. [default: finetune for a run from published weights, else quick, of "
            "more epochs where images are few]"
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
    distill: Annotated[bool, typer.Option("--distill", help="Imitate the supernet's largest path as well.")] = False,
    hold_out: Annotated[
        str | None,
        typer.Option(
            help="Share of the training images that accuracy is read on after each epoch, instead of training on them; "
            "the best epoch is kept. 0: train on all, keep the last. [default: the recipe's, else 10%; 0 with finetune]"
        ),
    ] = None,
    patience: Annotated[
        int | None, typer.Option(min=1, help="End after so many epochs without a better one. [default: none]")
    ] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Repeat for several trainings. [default: 0]")] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Train with seeds 0 to N - 1: mean and standard deviation. [default: none]"),
    ] = None,
    data: NewData = None,
    table: NewTable = None,
    quiet: Quiet = False,
) -> None:
    """Train a member of the front to the end and read its test accuracy, once."""
    from evonas.runs.run import Run

    with Run.open(run) as opened:  # a wrong path ends here, before anything heavy is imported
        settings, manifest = opened.settings, opened.manifest
    from evonas.cli.progress import make_progress
    from evonas.cli.stopping import words_when_stopped
    from evonas.errors import SettingsError
    from evonas.files.share import parse_share
    from evonas.report.cards import knee_warning
    from evonas.runs.selection import check_selection
    from evonas.training.recipe import load_recipe, usual_recipe

    if seed and seeds:
        raise SettingsError("Expected either --seed or --seeds, got both: leave one of them out")
    share = None if hold_out is None else parse_share(hold_out)
    if patience and share == 0:
        raise SettingsError("--patience needs held-out images, got --hold-out 0: give a share such as 10%")

    check_selection(run, select)
    for line in knee_warning(manifest, select):
        typer.echo(line, err=True)
    given: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    named = load_recipe(recipe or usual_recipe(settings), **given)  # what is wrong ends here
    from evonas.deployment import train_members, training_summary
    from evonas.deployment.member import default_recipe, with_hold_out
    from evonas.deployment.transfer import transfer_lines

    if recipe is None and epochs is None:
        with Run.open(run) as opened:
            named = default_recipe(opened)
    chosen = with_hold_out(named, share, patience)

    with words_when_stopped(lambda: "Stopped; the epochs done are kept. Type the same command again to go on."):
        trained = train_members(
            run,
            select,
            chosen,
            seeds=range(seeds) if seeds else seed or (0,),
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
    _draw(trained)
    member = shlex.quote("knee" if select == "front" else select)
    typer.echo(f"Next:\n  evonas deploy {shlex.quote(str(run))} --select {member}")


def _draw(trained: Sequence[Trained]) -> None:
    """Draw the curves of trainings beside their weights, where there is something to draw with."""
    from evonas.errors import MissingExtraError
    from evonas.files.whole import write_whole
    from evonas.report.training_figure import plot_training

    for one in trained:
        with suppress(MissingExtraError):
            picture = plot_training(one.record)
            write_whole(one.folder / "curve.png", picture)
            typer.echo(f"Curve: {one.folder / 'curve.png'}")
