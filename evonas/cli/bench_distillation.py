"""``evonas bench distillation``: whether short trainings rank better with a teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.bench import Out, Space, _numbers, _show, _write, bench
from evonas.cli.options import OfSize, Quiet


@bench.command("distillation")
def bench_distillation(
    folder: Annotated[Path, typer.Option(help="Where checkpoints are kept: a command that was stopped goes on.")],
    space: Space = "darts",
    data: Annotated[str, typer.Option(help="Images.")] = "digits",
    distillations: Annotated[
        str, typer.Option(help="What is compared, as a search takes it; the first is the base.")
    ] = "none,logits:0.5,nst:0.5",
    epochs: Annotated[str, typer.Option(help="Levels of the short trainings.")] = "2,4,8",
    high: Annotated[int, typer.Option(min=1, help="Epochs of the long training that is the truth.")] = 25,
    networks: Annotated[int, typer.Option(min=3, help="Architectures.")] = 20,
    train_limit: Annotated[int | None, typer.Option(min=10, help="Use that many training images.")] = None,
    resolution: OfSize = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    quiet: Quiet = False,
    out: Out = None,
) -> None:
    """Train random architectures shortly, with and without a teacher, and long; correlate their accuracies."""
    from evonas.config import make_settings
    from evonas.pareto.objective import split_names
    from evonas.pipeline.checks import check_settings

    settings = make_settings(space=space, data=data, train_limit=train_limit, resolution=resolution, seed=seed)
    check_settings(settings)  # before anything heavy is imported
    from evonas.benchmarks.distillation import bench_distillation as run_benchmark
    from evonas.cli.progress import make_progress
    from evonas.pipeline.problem import SearchProblem
    from evonas.runtime.threads import torch_threads

    context = SearchProblem(settings).context()
    with torch_threads(context.threads):
        results = run_benchmark(
            context,
            split_names([distillations], "distillation"),
            epochs=_numbers(epochs),
            high=high,
            networks=networks,
            folder=folder,
            progress=make_progress(quiet),
        )
    rows = results["rows"]
    _show(
        ["distillation", "epochs", "mean accuracy", "tau with the long training", "tau less the first's"],
        [
            [
                row["distillation"],
                str(row["epochs"]),
                f"{row['accuracy']:.3f}",
                f"{row['tau']:.3f} ({row['tau_low']:.2f} to {row['tau_high']:.2f})",
                f"{row['difference_low']:+.2f} to {row['difference_high']:+.2f}",
            ]
            for row in rows
        ],
    )
    _write(out, results, rows, None)
