"""``evonas search`` and ``evonas resume``."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.options import with_settings
from evonas.config import WHERE, Settings, make_settings

if TYPE_CHECKING:
    from evonas.runs.run import Run

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
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Settings from a TOML file, or a published method's: see  evonas list configs. \\[default: none]",
            rich_help_panel="What",
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=2,
            metavar="<int>",
            help="Search that many times, with seeds counted up from the one given, and compare; the output folder "
            "holds a run of each, and a time is that of all together. 2 or more. \\[default: one]",
            rich_help_panel="Search",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run directory. \\[default: a new one in runs/]", rich_help_panel="Output")
    ] = None,
    tensorboard: Tensorboard = False,
    mlflow: Mlflow = None,
    quiet: Quiet = False,
) -> None:
    """Search for Pareto-optimal architectures: data and space in, a front out."""
    began = time.monotonic()  # before what is imported: a deadline is for the whole command
    from evonas.pipeline.checks import check_settings

    settings = make_settings(config, **given)
    check_settings(settings)  # before anything heavy is imported
    if seeds is not None:
        from evonas.cli.seeds import search_seeds
        from evonas.pipeline.seeds import SeedFolder

        folder = SeedFolder.create(settings, seeds, out)
        search_seeds(folder, lambda progress: listeners_of(tensorboard, mlflow, progress), quiet, began)
        return
    from evonas.cli.progress import make_progress
    from evonas.pipeline import run as pipeline

    paths = [out] if out else []
    progress = make_progress(quiet)
    listeners = listeners_of(tensorboard, mlflow, progress)
    _finish(
        lambda: pipeline.search(
            settings, out, progress=progress, after_generation=_after(listeners), created=paths.append, began=began
        ),
        paths,
        listeners,
    )


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
    data: Annotated[
        str | None,
        typer.Option(
            help="Where the run's data are now, the same ones. \\[default: where they were]", rich_help_panel="Data"
        ),
    ] = None,
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
    listeners = listeners_of(tensorboard, mlflow, progress)
    baseline, table = given.pop("baseline", ()), given.pop("table", None) or ()
    _finish(
        lambda: pipeline.resume(
            run,
            generations=generations,
            retry_failed=retry_failed,
            baseline=baseline,
            table=table,
            data=data,
            progress=progress,
            after_generation=_after(listeners),
            **given,
        ),
        [run],
        listeners,
    )


search = with_settings(_search, Settings.model_fields)
search.__name__ = "search"
resume = with_settings(_resume, ("baseline", "table", *WHERE))
resume.__name__ = "resume"


def listeners_of(tensorboard: bool, mlflow: str | None, progress: Any) -> list[Any]:
    """Return what follows the search: its report, and logs; a package that is missing is named at once."""
    from evonas.report.listener import ReportListener

    listeners: list[Any] = [ReportListener()]
    if tensorboard:
        from evonas.export.tensorboard import TensorBoardLog

        listeners.append(TensorBoardLog())
    if mlflow:
        from evonas.export.mlflow import MLflowLog

        listeners.append(MLflowLog(mlflow, progress.say))
    return listeners


def _after(listeners: list[Any]) -> Callable[[Run], None]:
    def after(run: Run) -> None:
        for listener in listeners:
            listener(run)

    return after


def _finish(work: Callable[[], Run], paths: list[Path], listeners: list[Any]) -> None:
    """Do the work and show what came of it; where it is stopped, the line that resumes the run at the last path."""
    from evonas.cli.stopping import words_when_stopped

    def words() -> str:
        if not paths or not (paths[-1] / "manifest.json").exists():
            return "Stopped before anything was written."
        where = shlex.quote(str(paths[-1]))
        return f"Stopped; nothing that was evaluated is lost. Continue with\n  evonas resume {where}"

    with words_when_stopped(words):
        try:
            run = work()
        except BaseException:
            for listener in listeners:
                listener.close(None)
            raise
    with run:
        for listener in listeners:
            listener.close(run)
        _summary(run)


def _summary(run: Run) -> None:
    from rich.console import Console

    from evonas.cli.tables import cards_table
    from evonas.report.cards import cards
    from evonas.report.closing import closing_lines, wrapped
    from evonas.runs.front_file import read_front

    console = Console()
    front = read_front(run)
    console.print(cards_table(front, cards(front, run.manifest), console.width))
    for line in wrapped(closing_lines(run, front), console.width):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
