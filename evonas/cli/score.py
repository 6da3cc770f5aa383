"""``evonas score``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.options import OfSize, Quiet, read_size


def score(
    proxy: Annotated[
        list[str], typer.Option(help="Scores such as swap,synflow, 'swap(mu=40,sigma=900)' or 'rank(swap,synflow)'.")
    ],
    archs: Annotated[Path, typer.Option(help="CSV file of architectures, plain or gzip.")],
    out: Annotated[Path, typer.Option(help="CSV file to write, gzip where it ends in .gz.")],
    space: Annotated[str, typer.Option(help="A space's name or TOML file.")] = "darts",
    data: Annotated[
        str, typer.Option(help="digits, FILE.npz, a folder of parquet files or images, a hub name.")
    ] = "digits",
    resolution: OfSize = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Score the first rows alone.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of initial weights.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    quiet: Quiet = False,
) -> None:
    """Score a list of architectures without training: the rows of a CSV file with a column per score added."""
    from evonas.cli.progress import make_progress
    from evonas.data.names import check_data
    from evonas.errors import SettingsError
    from evonas.objectives.registry import check_objectives
    from evonas.pareto.objective import split_names
    from evonas.spaces import load_space

    read = load_space(space)
    check_objectives(split_names(proxy, "proxy"))
    check_data(data)
    if not archs.is_file():
        raise SettingsError(f"Cannot read {archs}: No such file or directory")
    from evonas.data import load_data
    from evonas.objectives import Context
    from evonas.objectives.score import score_file
    from evonas.runtime.threads import torch_threads
    from evonas.training import resolve_device

    chosen = str(resolve_device(device))
    names = split_names(proxy, "proxy")
    images = load_data(data, resolution=read_size(resolution), device=chosen)
    context = Context(read, read.skeleton(), images, chosen, seed=seed, threads=threads)
    with torch_threads(threads):
        report = score_file(context, names, archs, out, limit=limit, progress=make_progress(quiet))
    for name, cause in report.causes.items():
        typer.echo(f"{name} scored {report.scored[name]} of {report.rows}; the first failure: {cause}", err=True)
    for name, column in report.columns.items():
        typer.echo(f"{archs.name} has a column '{name}' of its own: the score stands in '{column}'", err=True)
    typer.echo(f"Wrote {out}: {report.rows} rows, {report.rows / max(report.seconds, 1e-9):.1f} architectures/s")
