"""``evonas search`` and ``evonas resume``."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from evonas.runs.run import Run

REPORTING = 30.0, 0.2
"""Seconds that reports may take of a search, and the share of its time that they may take beyond."""

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Workers = Annotated[
    int | None, typer.Option(help="Processes that evaluate at a time; results are the same. [default: 1]")
]
Engine = Annotated[str | None, typer.Option(help="local, or ray: on a cluster. [default: local]")]
Address = Annotated[str | None, typer.Option(help="Of the Ray cluster.")]
Tensorboard = Annotated[bool, typer.Option("--tensorboard", help="Write scalars to RUN/tensorboard/ as it goes.")]
Mlflow = Annotated[str | None, typer.Option(metavar="URI", help="Log to this MLflow server as it goes.")]
Timeout = Annotated[str | None, typer.Option(help="An evaluation that takes longer, such as 10m, has failed.")]


def search(
    objectives: Annotated[
        list[str] | None,
        typer.Option(help="What to optimize, such as acc,flops,latency. [default: acc,flops]"),
    ] = None,
    constraint: Annotated[list[str] | None, typer.Option(help="A bound such as flops<=20e6; repeat for more.")] = None,
    space: Annotated[str | None, typer.Option(help="A space's name or TOML file. [default: darts]")] = None,
    skeleton: Annotated[str | None, typer.Option(help="A skeleton of the space. [default: small]")] = None,
    data: Annotated[
        str | None,
        typer.Option(help="digits, FILE.npz, a folder of parquet files or images. [default: digits]"),
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option(help="A CSV of measured truth whose columns are objectives; repeat to join.")
    ] = None,
    resolution: Annotated[int | None, typer.Option(help="Side of the images. [default: the data's]")] = None,
    train_limit: Annotated[int | None, typer.Option(help="Use that many training images.")] = None,
    validation: Annotated[
        float | None, typer.Option(help="Share of training data to read accuracy on. [default: 0.4]")
    ] = None,
    sharing: Annotated[str | None, typer.Option(help="How weights are shared. [default: disturbance-immune]")] = None,
    sampling: Annotated[str | None, typer.Option(help="How paths are drawn in training. [default: choice]")] = None,
    estimator: Annotated[
        str | None, typer.Option(help="What estimates accuracy, such as supernet:loss. [default: supernet]")
    ] = None,
    supernet: Annotated[str | None, typer.Option(help="Take over the supernet of this run.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of supernet training.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images per training step. [default: 64]")] = None,
    warm_start: Annotated[
        int | None, typer.Option(help="Architectures scored by SWAP first; 0: none. [default: 500]")
    ] = None,
    algorithm: Annotated[str | None, typer.Option(help="Search algorithm. [default: nsga2]")] = None,
    surrogate: Annotated[
        bool | None,
        typer.Option(
            "--surrogate/--no-surrogate",
            help="Predict dear objectives and evaluate what promises most. [default: if an evaluation takes over 1 s]",
        ),
    ] = None,
    population: Annotated[int | None, typer.Option(help="Members of a generation. [default: 40]")] = None,
    generations: Annotated[int | None, typer.Option(help="Generations. [default: 30]")] = None,
    time: Annotated[str | None, typer.Option(help="A budget such as 30m, divided over the steps.")] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Spend as many evaluations on random architectures too, and compare.")
    ] = False,
    latency_table: Annotated[str | None, typer.Option(help="A latency table measured on another device.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random. [default: 0]")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of torch. [default: 1]")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda. [default: auto]")] = None,
    workers: Workers = None,
    engine: Engine = None,
    address: Address = None,
    timeout: Timeout = None,
    asynchronous: Annotated[
        bool, typer.Option("--asynchronous", help="Tell each result as it comes: no worker waits for a generation.")
    ] = False,
    config: Annotated[Path | None, typer.Option(help="Settings from a TOML file.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run directory. [default: a new one in runs/]")] = None,
    tensorboard: Tensorboard = False,
    mlflow: Mlflow = None,
    quiet: Quiet = False,
) -> None:
    """Search for Pareto-optimal architectures: data and space in, a front out."""
    from evonas.cli.progress import make_progress
    from evonas.config import make_settings
    from evonas.pipeline import run as pipeline

    settings = make_settings(
        config,
        objectives=tuple(objectives) if objectives else None,
        constraints=tuple(constraint) if constraint else None,
        table=tuple(table) if table else None,
        space=space, skeleton=skeleton, data=data, resolution=resolution, train_limit=train_limit,
        validation=validation, sharing=sharing, sampling=sampling, estimator=estimator,
        supernet=supernet, epochs=epochs, batch_size=batch_size,
        warm_start=warm_start, algorithm=algorithm, surrogate=surrogate, population=population,
        generations=generations, time=time,
        baseline=baseline or None, latency_table=latency_table, seed=seed, threads=threads, device=device,
        workers=workers, engine=engine, address=address, timeout=timeout, asynchronous=asynchronous or None,
    )  # fmt: skip
    path = out or pipeline.new_path(settings)
    progress = make_progress(quiet)
    logs = _logs(tensorboard, mlflow, progress)
    _finish(lambda: pipeline.search(settings, path, progress=progress, after_generation=_after(logs)), path, logs)


def resume(
    run: Annotated[Path, typer.Argument(help="The run directory.")],
    generations: Annotated[int | None, typer.Option(min=1, help="Go on to that many in all.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed evaluations again.")] = False,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Spend as many evaluations on random architectures too, and compare.")
    ] = False,
    workers: Workers = None,
    engine: Engine = None,
    address: Address = None,
    timeout: Timeout = None,
    tensorboard: Tensorboard = False,
    mlflow: Mlflow = None,
    quiet: Quiet = False,
) -> None:
    """Continue a search that was stopped, or prolong one that ended."""
    from evonas.cli.progress import make_progress
    from evonas.pipeline import run as pipeline

    progress = make_progress(quiet)
    logs = _logs(tensorboard, mlflow, progress)
    _finish(
        lambda: pipeline.resume(
            run,
            generations=generations,
            retry_failed=retry_failed,
            baseline=baseline,
            progress=progress,
            after_generation=_after(logs),
            workers=workers,
            engine=engine,
            address=address,
            timeout=timeout,
        ),
        run,
        logs,
    )


def _logs(tensorboard: bool, mlflow: str | None, progress: Any) -> list[Any]:
    """Return what the search is logged to besides its report; a package that is missing is told at once."""
    from evonas.export.live import MLflowLog, TensorBoardLog

    return [*([TensorBoardLog()] if tensorboard else []), *([MLflowLog(mlflow, progress.say)] if mlflow else [])]


def _after(logs: list[Any]) -> Callable[[Run], None]:
    began, spent, stored = time.perf_counter(), 0.0, -1

    def after(run: Run) -> None:
        nonlocal spent, stored
        start = time.perf_counter()
        # A replay stores nothing; and where generations take less than a report, the search has the time.
        if run.store.changes != stored and spent <= max(REPORTING[0], REPORTING[1] * (start - began)):
            _refresh_report(run)
            stored = run.store.changes
            spent += time.perf_counter() - start
        for log in logs:
            log(run)

    return after


def _refresh_report(run: Run, ended: bool = False) -> None:
    """Write the report again; a search does not need it, so it goes on without where plotly is missing."""
    from evonas.errors import MissingExtraError
    from evonas.report import write_report

    with suppress(MissingExtraError):
        write_report(run, ended=ended)


def _finish(work: Callable[[], Run], path: Path, logs: list[Any]) -> None:
    try:
        run = work()
    except BaseException as error:
        for log in logs:
            log.close(None)
        if not isinstance(error, KeyboardInterrupt):
            raise
        if (path / "manifest.json").exists():
            typer.echo(
                f"\nStopped; nothing that was evaluated is lost. Continue with\n  evonas resume {path}",
                err=True,
            )
        else:
            typer.echo("\nStopped before anything was written.", err=True)
        raise typer.Exit(130) from None
    with run:
        _refresh_report(run, ended=True)
        for log in logs:
            log.close(run)
        _summary(run)


def _summary(run: Run) -> None:
    from rich.console import Console

    from evonas.cli.summary import summary
    from evonas.cli.tables import front_table
    from evonas.runs.front_file import read_front

    console = Console()
    front = read_front(run)
    console.print(front_table(front, limit=12, width=console.width))
    for line in summary(run, front):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
