"""A search from its settings, or from its run where it was stopped.

Resuming is replay: `resume` runs the same steps again. What is stored answers at once, what a clock decided is
read back, and so the search goes on where it was stopped and ends with the same front.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from evonas.config import Settings, make_settings, move_settings
from evonas.data.inventory import inventory_lines
from evonas.data.names import DIGITS
from evonas.errors import RunError, SettingsError
from evonas.files.progress import Progress, Silent
from evonas.objectives.latency.latency import LatencyEvaluator
from evonas.pipeline.allowed_resolution import usual_resolutions
from evonas.pipeline.asked import read_asked
from evonas.pipeline.checks import check_settings
from evonas.pipeline.context import problem_of
from evonas.pipeline.new_run import create_run, write_inventory
from evonas.pipeline.plan import plan_search
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.resolution import probe_resolution
from evonas.pipeline.start import ResolvedStart, refuse_ignored, refuse_transfer, resolve_start
from evonas.pipeline.steps import SearchSteps
from evonas.runs.run import Run
from evonas.spaces import load_space


def search(
    settings: Settings | None = None,
    out: str | Path | None = None,
    *,
    progress: Progress | None = None,
    after_generation: Callable[[Run], None] | None = None,
    created: Callable[[Path], None] | None = None,
    began: float | None = None,
    **given: Any,
) -> Run:
    """Search for Pareto-optimal architectures.

    Args:
        settings: What to search for; default: accuracy against FLOPs of DARTS cells on the digits.
        out: The run directory to make; default: a new one in ``runs/``.
        progress: Shows how far the search is.
        after_generation: Called with the run after every generation, such as to refresh a report.
        created: Called with the run directory once it is made.
        began: When the command began, by `time.monotonic`; a deadline counts from then. None: now.
        **given: Settings by name, instead of `settings`.

    Returns:
        The run, open for reading; `read_front` gives its front.

    Raises:
        EvonasError: Settings or data that make no sense; ten failed evaluations in a row; a full disk.
    """
    began = time.monotonic() if began is None else began
    settings = settings or make_settings(**given)
    start = start_of(settings, progress or Silent())
    path = Path(out) if out is not None else None
    if path is not None and path.exists():
        raise RunError(f"{path} exists already: continue it with  evonas resume {path}  or choose another --out")
    with _reading(start.settings, progress or Silent()):
        problem = SearchProblem(start.settings, start)
    _check_taken_over(problem)
    for line in _opening_lines(problem):
        (progress or Silent()).say(line)
    inventory = None if problem.data is None else problem.data.inventory
    plan = plan_search(problem, progress or Silent(), began)
    with create_run(path, problem) as run:
        if plan is not None:
            plan.store(run)
        if created is not None:
            created(run.path)
        if inventory is not None:
            write_inventory(run, inventory)
        SearchSteps(problem, run, progress or Silent(), after_generation, began).go()
    return Run.open(run.path)


def _reading(settings: Settings, progress: Progress) -> AbstractContextManager[object]:
    """Return what shows that data are read, which takes a while where they are images in files."""
    embedded = settings.data in (None, DIGITS) or not Path(str(settings.data)).exists()
    return nullcontext() if embedded else progress.task("Reading the data", 1)


def _check_taken_over(problem: SearchProblem) -> None:
    """Refuse shared weights or a latency table that do not fit, before there is a run.

    Raises:
        EvonasError: They do not.
    """
    settings = problem.settings
    if settings.supernet:
        problem.trained(Path(settings.supernet) / "supernet.safetensors")
    if settings.latency_table and "latency" in problem.evaluated:
        LatencyEvaluator(problem.context(options={"latency_table": settings.latency_table}))


def _opening_lines(problem: SearchProblem) -> list[str]:
    """Return what is said before work begins: of the start, and of the data."""
    lines = list(dict.fromkeys(problem.notes))
    if problem.data is None:
        return lines
    inventory = problem.data.inventory
    block = () if inventory is None or inventory.name == DIGITS else inventory_lines(inventory)
    return [*lines, *block, *problem.data.notes]


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
    **elsewhere: Any,
) -> Run:
    """Continue a search that was stopped, or prolong one that ended.

    Args:
        path: Its run directory.
        generations: Go on to that many generations in all.
        retry_failed: Try failed evaluations again.
        baseline: What it is compared with, now and whenever it is resumed: ``random``, ``transfer`` or both.
        progress: Shows how far the search is.
        after_generation: Called with the run after every generation.
        table: Where the run's table is now; empty: where it was.
        data: Where the run's data are now; None: where they were.
        **elsewhere: Settings of where evaluations run, for now: workers, engine, address, timeout.

    Raises:
        EvonasError: No run, one that another process works on, or one that cannot be replayed here.
    """
    began, progress = time.monotonic(), progress or Silent()
    with Run.open(path, write=True) as run:
        run.relocate(data, table)
        problem, warn = problem_of(run)
        problem.settings = move_settings(problem.settings, **elsewhere)
        for line in warn:
            progress.say(f"Note: {line}; results may differ in their last digits")
        if retry_failed:
            progress.say(f"{run.store.forget_failures()} failed evaluations will be tried again")
        if generations is not None:
            # Counted in evaluations, for rounds with predictors are smaller than generations.
            done = -(-len(run.store.members()) // problem.settings.population)
            if generations < done:  # a front of the first few would hide what is known
                raise SettingsError(
                    f"{run.path} has {done} generations already, got --generations {generations}: "
                    f"give {done} to end it there, or more"
                )
            run.update_manifest(generations=generations, patience=None)  # which ended it, and does not hold any more
        if baseline:
            wanted = make_settings(baseline=baseline).baseline
            refuse_transfer(wanted, problem.start is not None)
            run.update_manifest(baseline=[name for name in wanted if name != "none"])
        SearchSteps(problem, run, progress, after_generation, began).go()
    return Run.open(path)


def start_of(settings: Settings, progress: Progress) -> ResolvedStart:
    """Return where a search starts, its resolutions decided where published weights leave them open.

    Raises:
        EvonasError: Names that nothing has; weights that are not here or do not fit.
    """
    check_settings(settings)
    start = resolve_start(settings)
    if start.published is None:
        return start
    refuse_ignored(start.settings)
    if settings.resolutions:
        return start
    side = settings.resolution or probe_resolution(start.settings, start.published, progress)
    evaluated = read_asked(start.settings, None).evaluated
    sides = usual_resolutions(start.settings, load_space(start.settings.space), evaluated, side)
    if sides:
        *others, last = map(str, sides)
        progress.say(
            f"Each candidate chooses its resolution among {', '.join(others)} and {last} px "
            f"(--resolutions {side}: this one alone)"
        )
    return start._replace(settings=start.settings.model_copy(update={"resolution": side, "resolutions": sides}))
