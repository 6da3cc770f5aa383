"""``evonas bench deadlines``: whether searches keep the time that they are given."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.bench import _cell, _show, _write, bench


@bench.command("deadlines")
def bench_deadlines(
    out: Annotated[Path, typer.Option(help="Write FILE.json and FILE.csv; what FILE.json holds is not done again.")],
    spaces: Annotated[str, typer.Option(help="Names of spaces, or all.")] = "all",
    data: Annotated[
        str,
        typer.Option(
            help="Data sets; photos: 650 test images of four classes of CIFAR-10 as JPEG, of the folder EVONAS_DATA."
        ),
    ] = "digits,photos",
    times: Annotated[str, typer.Option(help="Budgets.")] = "2m,5m",
    option: Annotated[
        list[str] | None, typer.Option(help="A further option of each search, such as --option=--seed=1; repeat.")
    ] = None,
    clock: Annotated[
        str,
        typer.Option(help="wall, or processor: deadlines count the search's own processor time, where others compute."),
    ] = "wall",
) -> None:
    """Wall-clock and processor time of searches beside the time that they were given."""
    from evonas.benchmarks.deadlines import bench_deadlines as measure
    from evonas.benchmarks.deadlines import write_photos
    from evonas.pareto.objective import split_names
    from evonas.spaces.toml import shipped

    chosen = list(shipped()) if spaces == "all" else split_names([spaces], "space")
    sources = []
    for source in split_names([data], "data set"):
        if source == "photos":
            truth = Path(os.environ.get("EVONAS_DATA", "../shared/data")) / "cifar10" / "test.parquet"
            source = str(write_photos(truth, out.with_name("photos")).resolve())
        sources.append(source)
    rows = measure(
        chosen,
        sources,
        split_names([times], "time"),
        out,
        options=option or (),
        clock=clock,
        progress=lambda text: typer.echo(text, err=True),
    )
    keys = ["space", "data", "time", "clock", "wall", "processor", "ratio", "kept", "members", "code", "said"]
    _show(keys, [[_cell(Path(row[key]).name if key == "data" else row[key]) for key in keys] for row in rows])
    _write(out, rows, [{key: row[key] for key in keys} for row in rows], None)
