"""``evonas bench``: the parts measured against known truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from evonas.cli.options import Application

bench = Application(no_args_is_help=True, help="Measure the parts against known truth.")


def _json_file(out: Path | None) -> Path | None:
    """Refuse a name before hours of work, not after."""
    from evonas.errors import SettingsError

    if out is not None and (out.suffix.lower() != ".json" or out.is_dir()):
        raise SettingsError(f"Expected --out to name a file that ends in .json, got '{out}'")
    return out


Out = Annotated[Path | None, typer.Option(callback=_json_file, help="Write FILE.json, FILE.csv and FILE.png.")]
Space = Annotated[str, typer.Option(help="A space's name or TOML file.")]
Tables = Annotated[list[Path], typer.Option("--table", help="A CSV of measured truth; repeat to join several.")]


@bench.command("proxies")
def bench_proxies(
    space: Space,
    table: Tables,
    target: Annotated[str, typer.Option(help="The column to be ranked.")],
    proxy: Annotated[
        list[str], typer.Option(help="Training-free scores or columns, such as swap,'rank(swap,synflow)'.")
    ],
    data: Annotated[str, typer.Option(help="Data that scores see.")] = "digits",
    seeds: Annotated[int, typer.Option(min=1, help="Scores of each architecture.")] = 3,
    limit: Annotated[int | None, typer.Option(min=3, help="Measure on that many rows, drawn by seed.")] = None,
    skeleton: Annotated[
        str | None, typer.Option(help="Skeleton that scores read, such as cifar. [default: each score's own]")
    ] = None,
    out: Out = None,
) -> None:
    """Rank correlation of training-free scores with truth, beside FLOPs and parameters."""
    from evonas.data.names import check_data
    from evonas.pareto.objective import split_names
    from evonas.spaces import load_space
    from evonas.tables.load import load_table

    opened = load_space(space)
    truth = load_table(table, opened)
    check_data(data)  # names and files before anything heavy is imported
    from evonas import benchmarks
    from evonas.data import load_data
    from evonas.objectives import Context

    context = Context(opened, opened.literature_skeleton(), data=load_data(data))
    names = split_names(proxy, "proxy")
    rows = benchmarks.bench_proxies(
        truth,
        target,
        names,
        sources=benchmarks.score_sources(context, names, skeleton=skeleton),
        together=benchmarks.scores_together(context, skeleton=skeleton),
        seeds=seeds,
        limit=limit,
        progress=_progress,
    )
    keys = ["proxy", "seed", "n", "coverage", "spearman", "kendall", "kendall_top30", "kendall_top10"]
    _show(keys, [[_cell(row[key]) for key in keys] for row in rows])
    _write(out, rows, rows, lambda: benchmarks.draw_proxies(rows))


@bench.command("overhead")
def bench_overhead(
    data: Annotated[
        str | None,
        typer.Option(help="Images to run on. [default: cifar10_exact.npz in the folder EVONAS_DATA, else digits]"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of architectures, weights and batches.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="Measure little, to see that it runs.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write FILE.json and FILE.csv.")] = None,
) -> None:
    """What scores, shared weights and the search cost beside the work that cannot be spared."""
    from evonas.data.names import check_data

    check_data(data or _exact_images())  # before anything heavy is imported
    from evonas.benchmarks import overhead
    from evonas.data import load_data

    results = overhead.bench_overhead(
        load_data(data or _exact_images()), quick=quick, seed=seed, progress=lambda text: typer.echo(text, err=True)
    )
    rows = [
        {"part": part, "figure": figure, "value": value}
        for part in ("swap", "supernet", "search")
        for figure, value in results[part].items()
        if not isinstance(value, list)
    ]
    _show(["part", "figure", "value"], [[row["part"], row["figure"], _cell(row["value"])] for row in rows])
    _write(out, results, rows, None)


def _exact_images() -> str:
    import os

    file = Path(os.environ.get("EVONAS_DATA", ""), "cifar10_exact.npz")
    return str(file) if file.is_file() else "digits"


def _numbers(text: str) -> list[int]:
    from evonas.errors import SettingsError

    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise SettingsError(f"Expected whole numbers joined by commas, such as 50,100,200, got '{text}'") from None


def _means(rows: list[dict[str, Any]]) -> list[tuple[str, int, float, float]]:
    import numpy as np

    groups: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        groups.setdefault((row["algorithm"], row["evaluations"]), []).append(row["percent_of_true"])
    return [(name, n, float(np.mean(v)), float(np.std(v, ddof=min(1, len(v) - 1)))) for (name, n), v in groups.items()]


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _progress(what: str, number: int) -> None:
    typer.echo(f"{what}, seed {number}", err=True)


def _show(headings: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _write(out: Path | None, results: object, rows: list[Any], figure: Callable[[], bytes] | None) -> None:
    from evonas import benchmarks

    if out is not None:
        for path in benchmarks.write_results(out, results, rows, figure=figure):
            typer.echo(f"Wrote {path}")
