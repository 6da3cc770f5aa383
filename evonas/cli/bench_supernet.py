"""``evonas bench supernet``: how well shared weights rank."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from evonas.cli.bench import Out, Space, Tables, _numbers, _write, bench
from evonas.cli.options import OfSize, read_size


@bench.command("supernet")
def bench_supernet(
    space: Space,
    table: Tables,
    target: Annotated[str, typer.Option(help="The column to be ranked, higher is better.")],
    data: Annotated[str, typer.Option(help="Images to train and read on.")] = "digits",
    rules: Annotated[
        str, typer.Option(help="Update rules to compare, each NAME, NAME(key=value, key=value) or a TOML file.")
    ] = "uniform,fair,disturbance-immune",
    passes: Annotated[str, typer.Option(help="Budgets: forward and backward passes.")] = "1500,6000",
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each rule and budget.")] = 5,
    skeleton: Annotated[str, typer.Option(help="Skeleton, NAME or NAME:key=value,key=value.")] = "small",
    channels: Annotated[
        int | None, typer.Option(min=1, help="Channels of the narrowest layers. [default: the skeleton's]")
    ] = None,
    resolution: OfSize = None,
    train_limit: Annotated[int | None, typer.Option(min=10, help="Use that many training images.")] = None,
    sample: Annotated[int, typer.Option(min=10, help="Architectures to rank.")] = 300,
    sampling: Annotated[str, typer.Option(help="How paths are drawn: choice, size, unique or fair.")] = "choice",
    batch_size: Annotated[int, typer.Option(min=2, help="Images per pass.")] = 64,
    lr: Annotated[float, typer.Option(help="Learning rate at the start.")] = 0.05,
    norms: Annotated[
        str, typer.Option(help="What becomes of norms' weights and biases: affine, plain, per-operation or protected.")
    ] = "affine",
    out: Out = None,
) -> None:
    """Rank architectures of known accuracy with supernets trained by several rules for equal passes.

    Trainings that FILE.json of --out holds already, of the same settings, are not done again.
    """
    from evonas.files.options import read_options
    from evonas.spaces import load_space
    from evonas.supernet.rules.registry import split_rules
    from evonas.tables.load import load_table

    opened = load_space(space)
    truth = load_table(table, opened)
    ruled = split_rules(rules)  # names and files before anything heavy is imported
    from evonas import benchmarks
    from evonas.benchmarks.supernet import bench_supernet
    from evonas.data import load_data

    name, _, written = skeleton.partition(":")
    options = read_options(written, skeleton) if written else {}
    if channels is not None:  # of the stem, which stage spaces scale together with all else
        options |= opened.skeleton_changes(channels)
    results = bench_supernet(
        opened,
        truth,
        target,
        load_data(data, resolution=read_size(resolution), limit=train_limit),
        ruled,
        passes=_numbers(passes),
        seeds=seeds,
        skeleton=opened.skeleton(name, **options),
        sample=sample,
        sampling=sampling,
        batch_size=batch_size,
        lr=lr,
        norms=norms,
        out=out,
        progress=lambda text: typer.echo(text, err=True),
    )
    rows = results["rows"]
    for line in (*_ranking(rows), "", *_training(rows)):
        typer.echo(line)
    keys = list(dict.fromkeys(key for row in rows for key in row))
    flat = [{key: row.get(key) for key in keys} for row in rows]
    _write(out, results, flat, lambda: benchmarks.draw_supernet(results))


def _ranking(rows: list[dict[str, Any]]) -> list[str]:
    """Return a table of how well each estimate ranks, intervals beside the means."""
    head = ["passes", "rule", "estimate", "seeds", "tau", "inside the top 30 %", "inside the top 10 %"]
    cells = [
        [str(row["passes"]), row["rule"], row["estimate"], str(row["seeds"])]
        + [_interval(row, key) for key in ("tau", "top30", "top10")]
        + [_interval(row, "tau_gain"), f"{row['precision10']:.2f}", f"{row['regret']:.3f}"]
        for row in rows
    ]
    return _aligned([[*head, "tau - uniform's", "precision@10", "regret"], *cells])


def _training(rows: list[dict[str, Any]]) -> list[str]:
    """Return a table of what each rule and budget made of the weights."""
    parts = {"forgetting": "", "1st quarter": "_first_quarter", "last quarter": "_last_quarter"}
    kinds = ("mean", "sd", "sd_beyond_noise")
    head = ["passes", "rule", "accuracy", *(w for part in parts for w in (part, "sd", "beyond noise")), "trace(P)/d"]
    names = ["accuracy", *(f"forgetting_{kind}{part}" for part in parts.values() for kind in kinds), "trace_over_d"]
    trained = {(row["passes"], row["rule"]): row for row in rows if row["passes"]}
    cells = [
        [str(passes), rule, *(f"{row[name]:.4f}" for name in names)]
        + [f"{row[name]:.1f}" for name in ("train_seconds", "read_seconds")]
        for (passes, rule), row in trained.items()
    ]
    return _aligned([[*head, "s to train", "s to read"], *cells])


def _interval(row: dict[str, Any], key: str) -> str:
    """Return a value with the ends of its interval."""
    if row.get(key) is None:
        return "-"
    return f"{row[key]:.3f} [{row[f'{key}_low']:.2f}, {row[f'{key}_high']:.2f}]"


def _aligned(rows: list[list[str]]) -> list[str]:
    """Return lines with columns of equal width; a table of a terminal's width would break every word."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
