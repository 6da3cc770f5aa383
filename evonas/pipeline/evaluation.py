"""Engine that evaluates the objectives of a search: this process, with workers where settings ask for them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from evonas.engine import LocalEngine, WorkerSpec, is_expensive, open_pool
from evonas.files.duration import parse_time
from evonas.files.progress import Progress
from evonas.objectives import Context
from evonas.pipeline.context import ANCHORS_FILE, ANCHORS_FOLDER, PATHS_FILE
from evonas.pipeline.problem import SearchProblem
from evonas.runs.run import Run

__all__ = ["open_engine"]


@contextmanager
def open_engine(
    problem: SearchProblem,
    run: Run,
    context: Context,
    progress: Progress,
    names: Sequence[str] | None = None,
) -> Iterator[LocalEngine]:
    """Yield what evaluates objectives and stores their values in a run.

    Args:
        problem: What is searched.
        run: Where values are stored.
        context: What evaluators are made from.
        progress: Notified where workers are more than the machine has cores for.
        names: Objectives; None: all that the search evaluates.
    """
    settings, evaluators = problem.settings, problem.evaluators(context, names)
    expensive = {name: one.fingerprint for name, one in evaluators.items() if is_expensive(one)}
    folder, files = run.path.resolve(), {}
    if context.supernet is not None:
        files["supernet"] = str(folder / "supernet.safetensors")
    if "anchors" in context.options:
        files["anchors"] = str(folder / ANCHORS_FILE)
    if "paths" in context.options:
        files["paths"] = str(folder / PATHS_FILE)
    anchors = {"anchor_folder": str(folder / ANCHORS_FOLDER)} if "anchor_folder" in context.options else {}
    spec = WorkerSpec(
        "evonas.pipeline.worker:make_worker",
        {"settings": settings.content(), "names": list(expensive), **anchors},
        expensive,
        settings.threads,
        files,
    )
    cores = os.cpu_count() or 1
    if settings.engine == "local" and settings.workers > 1 and settings.workers * settings.threads > cores:
        progress.say(
            f"Note: {settings.workers} workers of {settings.threads} threads share {cores} cores; fewer are as fast"
        )
    with open_pool(
        spec,
        kind=settings.engine,
        workers=settings.workers,
        timeout=parse_time(settings.timeout) if settings.timeout else None,
        address=settings.address,
        gpus=1.0 if problem.device.startswith("cuda") else 0.0,
    ) as pool:
        yield LocalEngine(evaluators, run.store, pool)
