"""Evolutionary multi-objective neural architecture search, from data to a verified ONNX model.

    import evonas

    run = evonas.search(objectives=("acc", "flops"))
    front = evonas.read_front(run)
    print(front.select("knee"))

What stands here is imported when first used: torch is not loaded before it is needed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.runs.presentation import Png, present_with

if TYPE_CHECKING:
    from evonas.config import Settings
    from evonas.data import Dataset, load_data
    from evonas.deployment.deploy import deploy
    from evonas.deployment.model import load_model
    from evonas.deployment.prediction import predict
    from evonas.deployment.trained import Trained
    from evonas.errors import EvonasError
    from evonas.files.progress import Progress
    from evonas.networks import build
    from evonas.objectives import Context
    from evonas.objectives.result import Result
    from evonas.pareto.front import Front
    from evonas.pareto.objective import Objective
    from evonas.pareto.seed_comparison import SeedComparison
    from evonas.pipeline.context import run_context
    from evonas.pipeline.study import Study
    from evonas.runs.front_file import read_front
    from evonas.runs.run import Run
    from evonas.spaces import Architecture, Skeleton, Space, load_space
    from evonas.tables.load import load_table
    from evonas.tables.table import Table

_HOME = {
    "__version__": "evonas.version",
    "Architecture": "evonas.spaces",
    "Context": "evonas.objectives",
    "Dataset": "evonas.data",
    "EvonasError": "evonas.errors",
    "Front": "evonas.pareto.front",
    "Objective": "evonas.pareto.objective",
    "Result": "evonas.objectives",
    "Run": "evonas.runs.run",
    "Settings": "evonas.config",
    "Skeleton": "evonas.spaces",
    "Space": "evonas.spaces",
    "Study": "evonas.pipeline.study",
    "Table": "evonas.tables.table",
    "build": "evonas.networks",
    "deploy": "evonas.deployment.deploy",
    "load_data": "evonas.data",
    "load_model": "evonas.deployment.model",
    "load_space": "evonas.spaces",
    "load_table": "evonas.tables.load",
    "predict": "evonas.deployment.prediction",
    "read_front": "evonas.runs.front_file",
    "run_context": "evonas.pipeline.context",
}

__all__ = [
    "Architecture",
    "Context",
    "Dataset",
    "EvonasError",
    "Front",
    "Objective",
    "Result",
    "Run",
    "Settings",
    "Skeleton",
    "Space",
    "Study",
    "Table",
    "build",
    "deploy",
    "load_data",
    "load_model",
    "load_space",
    "load_table",
    "predict",
    "read_front",
    "repeat",
    "resume",
    "run_context",
    "search",
    "train",
]


def search(
    settings: Settings | None = None,
    out: str | Path | None = None,
    *,
    progress: Progress | None = None,
    after_generation: Callable[[Run], None] | None = None,
    objectives: str | Sequence[str] | None = None,
    constraint: str | Sequence[str] | None = None,
    metric: str | None = None,
    corruptions: str | Sequence[str] | None = None,
    space: str | None = None,
    pretrained: str | None = None,
    skeleton: str | None = None,
    data: str | None = None,
    task: str | None = None,
    table: str | Sequence[str] | None = None,
    resolution: int | str | Sequence[int] | None = None,
    resolutions: str | Sequence[int] | None = None,
    layout: str | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    group: str | None = None,
    fold: str | None = None,
    fit: str | None = None,
    flip: bool | None = None,
    lazy: bool | None = None,
    max_skipped: str | None = None,
    min_images: int | None = None,
    rare: str | None = None,
    class_weights: str | None = None,
    train_limit: int | None = None,
    validation: float | None = None,
    time: str | None = None,
    population: int | None = None,
    generations: int | None = None,
    patience: int | None = None,
    warm_start: int | None = None,
    sharing: str | None = None,
    norms: str | None = None,
    norm_statistics: str | None = None,
    sampling: str | None = None,
    estimator: str | None = None,
    anchors: int | None = None,
    anchor_epochs: str | None = None,
    anchor_rounds: str | None = None,
    anchors_from: str | None = None,
    predictor: str | None = None,
    distillation: str | None = None,
    teacher: str | None = None,
    supernet: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    algorithm: str | None = None,
    surrogate: bool | None = None,
    asynchronous: bool | None = None,
    baseline: bool | str | Sequence[str] | None = None,
    seed: int | None = None,
    latency_table: str | None = None,
    threads: int | None = None,
    device: str | None = None,
    workers: int | None = None,
    engine: str | None = None,
    address: str | None = None,
    timeout: str | None = None,
) -> Run:
    """Search for Pareto-optimal architectures; ``report.html`` in the run follows the search.

    Args:
        settings: What to search for; default: accuracy against FLOPs of DARTS cells on the digits.
        out: The run directory to make; default: a new one in ``runs/``.
        progress: Shows how far the search is; None: a notebook shows it, a script does not.
        after_generation: Called with the run after every generation, once its report is written.
        objectives: This and all that follow are fields of `Settings`, instead of `settings`; None: its default.

    Returns:
        The run, open for reading; `read_front` gives its front.

    Raises:
        EvonasError: Settings or data that make no sense; ten failed evaluations in a row; a full disk.
    """
    from evonas.config import make_settings
    from evonas.errors import SettingsError
    from evonas.pipeline import run as pipeline

    given = dict(
        objectives=objectives,
        constraint=constraint,
        metric=metric,
        corruptions=corruptions,
        space=space,
        pretrained=pretrained,
        skeleton=skeleton,
        data=data,
        task=task,
        table=table,
        resolution=resolution,
        resolutions=resolutions,
        layout=layout,
        image_column=image_column,
        label_column=label_column,
        group=group,
        fold=fold,
        fit=fit,
        flip=flip,
        lazy=lazy,
        max_skipped=max_skipped,
        min_images=min_images,
        rare=rare,
        class_weights=class_weights,
        train_limit=train_limit,
        validation=validation,
        time=time,
        population=population,
        generations=generations,
        patience=patience,
        warm_start=warm_start,
        sharing=sharing,
        norms=norms,
        norm_statistics=norm_statistics,
        sampling=sampling,
        estimator=estimator,
        anchors=anchors,
        anchor_epochs=anchor_epochs,
        anchor_rounds=anchor_rounds,
        anchors_from=anchors_from,
        predictor=predictor,
        distillation=distillation,
        teacher=teacher,
        supernet=supernet,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        algorithm=algorithm,
        surrogate=surrogate,
        asynchronous=asynchronous,
        baseline=baseline,
        seed=seed,
        latency_table=latency_table,
        threads=threads,
        device=device,
        workers=workers,
        engine=engine,
        address=address,
        timeout=timeout,
    )
    if settings is not None and (named := [name for name, value in given.items() if value is not None]):
        raise SettingsError(f"Expected either settings or single ones by name, got both: {', '.join(named)}")
    wanted = settings or make_settings(None, **given)
    return _reported(
        lambda after: pipeline.search(wanted, out, progress=_shown(progress), after_generation=after), after_generation
    )


def resume(
    path: str | Path,
    *,
    generations: int | None = None,
    retry_failed: bool = False,
    baseline: bool | str | Sequence[str] = (),
    progress: Progress | None = None,
    after_generation: Callable[[Run], None] | None = None,
    table: Sequence[str] = (),
    data: str | None = None,
    workers: int | None = None,
    engine: str | None = None,
    address: str | None = None,
    timeout: str | None = None,
) -> Run:
    """Continue a search that was stopped, or prolong one that ended; its report is written again.

    Args:
        path: Its run directory.
        generations: Go on to that many generations in all.
        retry_failed: Try failed evaluations again.
        baseline: What it is compared with, now and whenever it is resumed: ``random``, ``transfer`` or both.
        progress: Shows how far the search is; None: a notebook shows it, a script does not.
        after_generation: Called with the run after every generation, once its report is written.
        table: Where the run's table is now; empty: where it was.
        data: Where the run's data are now, which must be the same; None: where they were.
        workers: This and all that follow say where evaluations run, for now; None: as the run's settings have it.

    Raises:
        EvonasError: No run, one that another process works on, or one that cannot be replayed here.
    """
    from evonas.pipeline import run as pipeline

    where: dict[str, Any] = {"workers": workers, "engine": engine, "address": address, "timeout": timeout}
    return _reported(
        lambda after: pipeline.resume(
            path,
            generations=generations,
            retry_failed=retry_failed,
            baseline=baseline,
            progress=_shown(progress),
            after_generation=after,
            table=table,
            data=data,
            **{name: value for name, value in where.items() if value is not None},
        ),
        after_generation,
    )


def repeat(
    search: Run | Settings | str | Path,
    seeds: int | None = None,
    out: str | Path | None = None,
    *,
    progress: Progress | None = None,
) -> SeedComparison:
    """Search with several seeds, one after another, and compare the fronts; what is done is not done again.

    Args:
        search: What to repeat: a run that ended, whose seed counts as the first; settings; or the path of a folder that
            this function or ``evonas search --seeds`` made, which goes on.
        seeds: Number of seeds, counted up from the first; None: as many as the folder has, 5 in a new one.
        out: Folder to make, with a run of each seed; None: beside the run, or a new one in ``runs/``.
        progress: Shows how far the search is; None: a notebook shows it, a script does not.

    Returns:
        Hypervolume to one reference point, median front, attainment surfaces, and how often architectures come back.
        The folder holds these as ``comparison.json``, two CSV files, ``attainment.png`` and ``report.html``.

    Raises:
        EvonasError: As `search` raises; a run that has not ended; a folder that exists already.
    """
    from evonas.config import Settings
    from evonas.errors import SettingsError
    from evonas.files.progress import Silent
    from evonas.pipeline.seeds import SeedFolder
    from evonas.report.listener import ReportListener
    from evonas.report.seeds_page import write_seeds_report
    from evonas.runs.run import Run
    from evonas.runs.seed_folder import SEEDS_FILE

    if isinstance(search, Settings):
        folder = SeedFolder.create(search, seeds, out)
    elif not isinstance(search, Run) and (Path(search) / SEEDS_FILE).exists():
        if out is not None:
            raise SettingsError(f"{search} holds several seeds already and goes on where it is: leave out `out`")
        folder = SeedFolder.open(search).extended(seeds)
    elif isinstance(search, Run):
        folder = SeedFolder.beside(search, seeds, out)
    else:
        with Run.open(search) as run:
            folder = SeedFolder.beside(run, seeds, out)
    folder.search(lambda: _shown(progress) or Silent(), lambda shown: [ReportListener()])
    found = folder.compare()
    write_seeds_report(folder.path, found, {seed: folder.home(seed) for seed in folder.seeds}, folder.failed)
    return found


def _reported(work: Callable[[Callable[[Run], None]], Run], after_generation: Callable[[Run], None] | None) -> Run:
    """Do a search that writes its report after generations, then calls `after_generation`, and again at its end."""
    from evonas.report.listener import ReportListener

    report = ReportListener()

    def after(run: Run) -> None:
        report(run)
        if after_generation is not None:
            after_generation(run)

    run = work(after)
    report.close(run)
    return run


def _shown(progress: Progress | None) -> Progress | None:
    """Return what was given to show progress, or what a notebook shows where nothing was; None: nothing does."""
    if progress is not None or "IPython" not in sys.modules:
        return progress
    from evonas.cli.notebook_progress import notebook_progress

    return notebook_progress()


def train(
    run: Run | str | Path,
    select: str = "knee",
    *,
    recipe: str | Path | None = None,
    seeds: Sequence[int] = (0,),
    progress: Progress | None = None,
) -> Sequence[Trained]:
    """Train members of a front to the end; test accuracy is read once, after training.

    A run that asked for the baseline ``transfer`` also transfers its published weights at the same cost, into its
    ``transfer.json``; `progress` shows what came of it.

    Args:
        run: The run or its directory.
        select: As `Front.select` takes it, an architecture's text, or ``front``: every member.
        recipe: A recipe's name or TOML file; None: ``finetune`` for a run from published weights, else ``quick``.
        seeds: One training each.
        progress: Shows how far training is; None: a notebook shows it, a script does not.

    Raises:
        EvonasError: No such run, member or recipe, or training that diverged.
    """
    from evonas.deployment import train_members
    from evonas.deployment.transfer import transfer_lines

    progress = _shown(progress)
    trained = train_members(run, select, recipe, seeds=seeds, progress=progress)
    if progress is not None:
        for line in transfer_lines(run, trained):
            progress.say(line)
    return trained


def _run_html(run: Run) -> str:
    from evonas.report.notebook import run_html

    return run_html(run)


def _run_plot(run: Run, select: str | None) -> Png:
    from evonas.report.notebook import run_plot

    return run_plot(run, select)


present_with(_run_html, _run_plot)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'evonas' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
