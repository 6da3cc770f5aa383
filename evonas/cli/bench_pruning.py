"""``evonas bench pruning``: trained members beside pruning of the same published network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.bench import Out, _numbers, _show, _write, bench
from evonas.cli.options import Quiet


@bench.command("pruning")
def bench_pruning(
    run: Annotated[Path, typer.Argument(help="Run from published weights, members of which were trained.")],
    importance: Annotated[
        str, typer.Option(help="Importances of channels by torch-pruning, joined by commas.")
    ] = "magnitude,taylor",
    resolutions: Annotated[
        str | None, typer.Option(help="Sides at which the largest is pruned. [default: the run's]")
    ] = None,
    quiet: Quiet = False,
    out: Out = None,
) -> None:
    """Prune the adapted published network to what each trained member costs, and train it alike."""
    from evonas.files.missing import refuse_missing
    from evonas.pareto.objective import split_names

    refuse_missing(run, "a run's folder")
    sides = _numbers(resolutions) if resolutions else []
    from evonas.benchmarks.pruning import bench_pruning as compare
    from evonas.cli.progress import make_progress
    from evonas.runs.run import Run

    with Run.open(run) as opened:
        rows = compare(
            opened,
            importances=split_names([importance], "importance"),
            resolutions=sides,
            progress=make_progress(quiet),
        )
    _show(
        ["way", "px", "multiply-adds", "test accuracy", "epochs"],
        [
            [
                row["way"],
                row["resolution"],
                f"{row['flops'] / 1e6:.1f} M",
                f"{row['accuracy']:.3f}",
                str(row["epochs"]),
            ]
            for row in rows
        ],
    )
    _write(out, rows, rows, None)
