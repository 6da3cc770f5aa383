"""``evonas bench protocol``: a method against random sampling, and what else moves accuracies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.bench import Out, Space, _cell, _progress, _show, _write, bench
from evonas.cli.options import Quiet

if TYPE_CHECKING:
    from evonas.benchmarks.ablation import Accuracies

KEYS = {
    "tricks": ("step", "n", "mean", "sd", "lowest", "highest", "gain", "tau"),
    "seeds": ("a", "b", "among", "n", "tau", "difference"),
    "macro": ("source", "df", "share", "adjusted"),
    "depth": ("a", "b", "among", "n", "tau", "difference"),
}
"""What is shown of each ablation's rows, intervals in brackets."""


@bench.command("protocol")
def bench_protocol(
    run: Annotated[Path | None, typer.Argument(help="A run to measure; without one, the published table.")] = None,
    ablate: Annotated[str | None, typer.Option(help="What is ablated instead: tricks, seeds, macro or depth.")] = None,
    table: Annotated[Path | None, typer.Option(help="With --ablate: a CSV of accuracies instead of trainings.")] = None,
    columns: Annotated[str | None, typer.Option(help="Its columns, joined by commas; of tricks in order.")] = None,
    recipe: Annotated[str, typer.Option(help="How networks are trained.")] = "quick",
    epochs: Annotated[int | None, typer.Option(min=1, help="Of the recipe. [default: its own]")] = None,
    members: Annotated[int, typer.Option(min=1, help="Members of the front, spread along it.")] = 4,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Trainings of each. [default: 2; 1 for tricks, macro and depth]")
    ] = None,
    space: Space = "darts",
    skeleton: Annotated[str, typer.Option(help="Frame of networks that are ablated.")] = "small",
    data: Annotated[str, typer.Option(help="Images of ablations.")] = "digits",
    train_limit: Annotated[int | None, typer.Option(min=10, help="Use that many training images.")] = None,
    architectures: Annotated[int, typer.Option(min=3, help="Random ones that are ablated.")] = 16,
    step: Annotated[
        list[str] | None, typer.Option(help="Of tricks, after the recipe's own, such as cutout=0.5; repeat for more.")
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            help="Of macro and depth: levels of the frame, such as cells=3,6 or skeleton=small,cifar; repeat for more. "
            "[default: once and twice the cells; for macro the channels too]"
        ),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where --ablate keeps trainings: a command that was stopped goes on.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of random architectures, and the first of trainings.")] = 0,
    quiet: Quiet = False,
    out: Out = None,
) -> None:
    """Relative improvement over random sampling, trained alike; ablations of a protocol (Yang et al., ICLR 2020)."""
    from evonas import benchmarks

    _refuse_options(run, ablate, table, columns, folder, [*(step or ()), *(vary or ())])
    if ablate is not None and table is not None:
        from evonas.benchmarks.ablate import ablate_columns

        _report(ablate_columns(ablate, _columns(table, str(columns))), out)
        return
    if ablate is not None:
        problem = {"space": space, "skeleton": skeleton, "data": data, "train_limit": train_limit, "seed": seed}
        results = _train(
            {name: value for name, value in problem.items() if value is not None},
            recipe,
            epochs,
            quiet,
            ablation=ablate,
            folder=folder,
            architectures=architectures,
            seeds=seeds or (2 if ablate == "seeds" else 1),
            steps=step or (),
            vary=vary or (),
        )
        _report(results, out)
        return
    if run is None:
        rows = benchmarks.bench_published()
        keys = ["method", "dataset", "random_mean", "method_mean", "printed", "ri"]
        _show(keys, [[_cell(row[key]) for key in keys] for row in rows])
        _write(out, rows, rows, lambda: benchmarks.draw_improvements(rows))
        return
    from evonas.runs.run import Run

    Run.open(run).close()  # whether it is there, before anything heavy is imported
    from evonas.benchmarks.run_protocol import compare_front

    result = compare_front(run, recipe=recipe, epochs=epochs, members=members, seeds=seeds or 2, progress=_progress)
    _show(["figure", "value"], [[key, _cell(result[key])] for key in ("ri", "low", "high", "p", "seed_kendall")])
    _write(out, result, [{key: result[key] for key in ("ri", "low", "high", "confidence", "p")}], None)


def _refuse_options(
    run: Path | None,
    ablate: str | None,
    table: Path | None,
    columns: str | None,
    folder: Path | None,
    levels: Sequence[str],
) -> None:
    """Refuse options that do not go together."""
    from evonas.errors import SettingsError

    if ablate is None:
        if levels or any(given is not None for given in (table, columns, folder)):
            raise SettingsError("Expected --ablate with --table, --columns, --folder, --step or --vary, got none")
        return
    if run is not None or ablate not in KEYS:
        raise SettingsError(
            f"Expected --ablate {', '.join(KEYS)} and no run, got --ablate {ablate}" + (f" and {run}" if run else "")
        )
    if (table is None) == (folder is None) or (table is None) != (columns is None):
        raise SettingsError(
            "Expected either --table FILE --columns A,B of known accuracies or --folder FOLDER to keep trainings in"
        )


def _columns(file: Path, columns: str) -> Accuracies:
    from evonas.benchmarks.ablation import read_accuracies
    from evonas.pareto.objective import split_names
    from evonas.tables.load import load_table

    return read_accuracies(load_table(file), split_names([columns], "column"))


def _train(
    problem: dict[str, Any], recipe: str, epochs: int | None, quiet: bool, *, ablation: str, **design: Any
) -> dict[str, Any]:
    from evonas.benchmarks.ablate_trainings import ablate_trainings
    from evonas.cli.progress import make_progress
    from evonas.config import make_settings
    from evonas.pipeline.problem import SearchProblem
    from evonas.runtime.threads import torch_threads
    from evonas.training import load_recipe

    how = load_recipe(recipe, all_data=False, **({} if epochs is None else {"epochs": epochs}))
    context = SearchProblem(make_settings(**problem)).context()
    with torch_threads(context.threads):
        return ablate_trainings(ablation, context, how, progress=make_progress(quiet), **design)


def _report(results: dict[str, Any], out: Path | None) -> None:
    from evonas.benchmarks.draw_ablation import draw_ablation

    rows, keys = results["rows"], KEYS[results["ablation"]]
    _show(list(keys), [[_with_interval(row, key) for key in keys] for row in rows])
    typer.echo(
        f"{results['n']:,} architectures, {results['dropped']:,} left out because an accuracy is unknown; "
        "in brackets 95 % by the bootstrap over architectures"
    )
    _write(out, results, rows, lambda: draw_ablation(results))


def _with_interval(row: dict[str, Any], key: str) -> str:
    low = row.get(f"{key}_low")
    return _cell(row[key]) + ("" if low is None or low != low else f" [{_cell(low)}, {_cell(row[f'{key}_high'])}]")
