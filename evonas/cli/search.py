"""``evonas search`` and ``evonas resume``."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.options import with_settings
from evonas.config import WHERE, Settings, make_settings

if TYPE_CHECKING:
    from evonas.runs.run import Run

REPORTING = 30.0, 0.2
"""Seconds that reports may take of a search, and the share of its time that they may take beyond."""

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show no progress. \\[default: no-quiet]", rich_help_panel="Output")
]
Tensorboard = Annotated[
    bool,
    typer.Option(
        "--tensorboard",
        help="Write scalars to RUN/tensorboard/ as it goes. \\[default: no-tensorboard]",
        rich_help_panel="Output",
    ),
]
Mlflow = Annotated[
    str | None,
    typer.Option(
        metavar="URI", help="Log to this MLflow server as it goes. \\[default: none]", rich_help_panel="Output"
    ),
]


def _search(
    given: dict[str, Any],
    config: Annotated[
        Path | None, typer.Option(help="Settings from a TOML file. \\[default: none]", rich_help_panel="What")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run directory. \\[default: a new one in runs/]", rich_help_panel="Output")
    ] = None,
    tensorboard: Tensorboard = False,
    mlflow: Mlflow = None,
    quiet: Quiet = False,
) -> None:
    """Search for Pareto-optimal architectures: data and space in, a front out."""
    from evonas.pipeline.checks import check_settings

    settings = make_settings(config, **given)
    check_settings(settings)  # before anything heavy is imported
    from evonas.cli.progress import make_progress
    from evonas.pipeline import run as pipeline

    path = out or pipeline.new_path(settings)
    progress = make_progress(quiet)
    logs = _logs(tensorboard, mlflow, progress)
    _finish(lambda: pipeline.search(settings, path, progress=progress, after_generation=_after(logs)), path, logs)


def _resume(
    run: Annotated[Path, typer.Argument(help="The run directory.")],
    given: dict[str, Any],
    generations: Annotated[
        int | None,
        typer.Option(min=1, help="Go on to that many in all. \\[default: the run's]", rich_help_panel="Budget"),
    ] = None,
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            help="Try failed evaluations again. \\[default: no-retry-failed]",
            rich_help_panel="Where it runs",
        ),
    ] = False,
    tensorboard: Tensorboard = False,
    mlflow: Mlflow = None,
    quiet: Quiet = False,
) -> None:
    """Continue a search that was stopped, or prolong one that ended."""
    from evonas.runs.run import Run

    Run.open(run).close()  # a wrong path ends here, before anything heavy is imported
    from evonas.cli.progress import make_progress
    from evonas.pipeline import run as pipeline

    progress = make_progress(quiet)
    logs = _logs(tensorboard, mlflow, progress)
    baseline = bool(given.pop("baseline", False))
    _finish(
        lambda: pipeline.resume(
            run,
            generations=generations,
            retry_failed=retry_failed,
            baseline=baseline,
            progress=progress,
            after_generation=_after(logs),
            **given,
        ),
        run,
        logs,
    )


search = with_settings(_search, Settings.model_fields)
search.__name__ = "search"
resume = with_settings(_resume, ("baseline", *WHERE))
resume.__name__ = "resume"


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
