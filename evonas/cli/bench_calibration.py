"""``evonas bench calibration``: the questions of a study of calibration, answered on networks trained here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from evonas.cli.bench import Out, Space, _cell, _numbers, _show, _write, bench
from evonas.cli.options import Quiet


@bench.command("calibration")
def bench_calibration(
    folder: Annotated[Path, typer.Option(help="Keeps networks and answers: a command that was stopped goes on.")],
    data: Annotated[list[str] | None, typer.Option(help="Images; repeat for more data sets. [default: digits]")] = None,
    space: Space = "nasbench201",
    skeleton: Annotated[str, typer.Option(help="Frame of the networks.")] = "small",
    architectures: Annotated[int, typer.Option(min=3, help="Random ones, trained on all data sets.")] = 30,
    recipe: Annotated[str, typer.Option(help="How they are trained.")] = "quick",
    epochs: Annotated[int | None, typer.Option(min=1, help="Of the recipe. [default: its own]")] = None,
    label_smoothing: Annotated[
        float, typer.Option(min=0, max=0.9, help="Of these trainings, whatever the recipe has.")
    ] = 0.0,
    train_limit: Annotated[int | None, typer.Option(min=10, help="Use that many training images.")] = None,
    resolution: Annotated[str | None, typer.Option(help="Size of images. [default: the data's]")] = None,
    attack: Annotated[
        list[str] | None, typer.Option(help="Attacks that robustness is read under; repeat. [default: pgd@2/255x5]")
    ] = None,
    ensembles: Annotated[str, typer.Option(help="Sizes of ensembles of the first networks.")] = "3,5",
    seed: Annotated[int, typer.Option(min=0, help="Of architectures and trainings.")] = 0,
    quiet: Quiet = False,
    out: Out = None,
) -> None:
    """Seven questions on calibration (Tao et al., ICLR 2024) on random networks trained alike, and small ensembles."""
    from evonas.benchmarks.calibration import bench_calibration
    from evonas.benchmarks.calibration_study import QUESTIONS
    from evonas.cli.progress import make_progress
    from evonas.config import make_settings
    from evonas.training import load_recipe

    given = {} if epochs is None else {"epochs": epochs}
    how = load_recipe(recipe, all_data=False, label_smoothing=label_smoothing, **given)
    common: dict[str, Any] = {
        name: value
        for name, value in {
            "space": space, "skeleton": skeleton, "train_limit": train_limit, "resolution": resolution, "seed": seed,
        }.items()
        if value is not None
    }  # fmt: skip
    results = bench_calibration(
        [make_settings(data=one, **common) for one in data or ["digits"]],
        how,
        folder,
        architectures=architectures,
        attacks=attack or ["pgd@2/255x5"],
        ensembles=_numbers(ensembles),
        progress=make_progress(quiet),
    )
    for question, text in QUESTIONS.items():
        rows = [row for row in results["rows"] if row["question"] == question]
        if rows:
            typer.echo(text)
            keys = ["data", "what", "figure", "value", "low", "high", "n"]
            _show(keys, [["" if row[key] is None else _cell(row[key]) for key in keys] for row in rows])
    if results["ensembles"]:
        typer.echo("Ensembles of the first networks, beside their members' mean and the best of them")
        _show(list(results["ensembles"][0]), [[_cell(value) for value in row.values()] for row in results["ensembles"]])
    _write(out, results, results["rows"], None)
