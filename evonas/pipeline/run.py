"""A search in reading order: latency table, warm start, supernet, evolution, front.

Resuming is replay: `resume` runs the same steps again. What is stored answers at once, what a clock decided is
read back, and so the search goes on where it was stopped and ends with the same front.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from evonas.config import Settings, make_settings, move_settings, parse_time
from evonas.data.inventory import inventory_lines
from evonas.data.names import DIGITS
from evonas.data.skipped import skipped_table
from evonas.engine import LocalEngine, WorkerSpec, is_expensive, open_pool
from evonas.errors import RunError, SettingsError
from evonas.files.csv import to_csv
from evonas.files.progress import Progress, Silent
from evonas.files.whole import write_whole
from evonas.objectives import Context, torch_threads
from evonas.objectives.accuracy.accuracy import AccuracyEvaluator
from evonas.objectives.accuracy.ranked import RankedEvaluator
from evonas.objectives.latency.latency import LatencyEvaluator
from evonas.pareto.objective import Objective
from evonas.pipeline.anchors import AnchorTraining, announce_anchors
from evonas.pipeline.asynchronous import search_asynchronously
from evonas.pipeline.baseline import write_baseline
from evonas.pipeline.budget import Budget
from evonas.pipeline.checks import check_settings
from evonas.pipeline.context import ANCHORS_FILE, ANCHORS_FOLDER, problem_of
from evonas.pipeline.final_front import write_front
from evonas.pipeline.generational import search_by_generations
from evonas.pipeline.phases import phases_of
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.resolution import probe_resolution
from evonas.pipeline.start import read_start, refuse_transfer, resolve_start
from evonas.pipeline.surrogate import suggestion
from evonas.pipeline.transfer import search_cost
from evonas.pipeline.warmup import SearchSetup
from evonas.runs.run import Run
from evonas.supernet import weights_fingerprint

NAMES_TRIED = 100
"""Default names that are tried where other searches take them first."""
LITTLE_WEIGHT = 0.1
"""Share of the estimate of accuracy below which shared weights count so little that it is said."""


def search(
    settings: Settings | None = None,
    out: str | Path | None = None,
    *,
    progress: Progress | None = None,
    after_generation: Callable[[Run], None] | None = None,
    created: Callable[[Path], None] | None = None,
    **given: Any,
) -> Run:
    """Search for Pareto-optimal architectures.

    Args:
        settings: What to search for; default: accuracy against FLOPs of DARTS cells on the digits.
        out: The run directory to make; default: a new one in ``runs/``.
        progress: Shows how far the search is.
        after_generation: Called with the run after every generation, such as to refresh a report.
        created: Called with the run directory once it is made.
        **given: Settings by name, instead of `settings`.

    Returns:
        The run, open for reading; `read_front` gives its front.

    Raises:
        EvonasError: Settings or data that make no sense; ten failed evaluations in a row; a full disk.
    """
    began = time.monotonic()
    settings = settings or make_settings(**given)
    settings, notes = start_of(settings, progress or Silent())
    path = Path(out) if out is not None else None
    if path is not None and path.exists():
        raise RunError(f"{path} exists already: continue it with  evonas resume {path}  or choose another --out")
    problem = SearchProblem(settings)
    if problem.settings.supernet:  # one that does not fit is told before there is a run
        problem.trained(Path(problem.settings.supernet) / "supernet.safetensors")
    if problem.settings.latency_table and "latency" in problem.evaluated:
        LatencyEvaluator(problem.context(options={"latency_table": problem.settings.latency_table}))
    inventory = None if problem.data is None else problem.data.inventory
    block = () if inventory is None or inventory.name == DIGITS else inventory_lines(inventory)
    said = dict.fromkeys((*notes, *problem.notes))
    for line in (*said, *block, *(problem.data.notes if problem.data is not None else ())):
        (progress or Silent()).say(line)
    with _created(path, problem) as run:
        if created is not None:
            created(run.path)
        if inventory is not None:
            write_whole(run.path / "inventory.json", inventory.to_json())
            if inventory.skipped:
                rows = skipped_table(inventory.skipped)
                write_whole(run.path / "skipped.csv", to_csv(rows).encode("utf-8", "backslashreplace"))
        _Search(problem, run, progress or Silent(), after_generation, began).go()
    return Run.open(run.path)


def _created(path: Path | None, problem: SearchProblem) -> Run:
    """Return a new run at a path; None: at the first free one, also where other searches begin at the same time."""
    settings, manifest = problem.settings.content(), problem.manifest()
    if path is not None:
        return Run.create(path, settings, manifest)
    for _ in range(NAMES_TRIED):
        free = new_path(problem.settings)
        try:
            return Run.create(free, settings, manifest)
        except RunError:
            if not free.exists():  # not taken by another: it cannot be written
                raise
    raise RunError(f"Expected a free name in {free.parent}, but others took {NAMES_TRIED} of them: give --out")


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
            told = -(-len(run.store.members()) // problem.settings.population)
            if generations < told:  # a front of the first few would hide what is known
                raise SettingsError(
                    f"{run.path} has {told} generations already, got --generations {generations}: "
                    f"give {told} to end it there, or more"
                )
            run.update_manifest(generations=generations)
        if baseline:
            wanted = make_settings(baseline=baseline).baseline
            refuse_transfer(wanted, problem.start is not None)
            run.update_manifest(baseline=[name for name in wanted if name != "none"])
        _Search(problem, run, progress, after_generation, began).go()
    return Run.open(path)


def start_of(settings: Settings, progress: Progress) -> tuple[Settings, list[str]]:
    """Return settings with space, weights and resolution decided, and what to say of it.

    Raises:
        EvonasError: Names that nothing has; weights that are not here or do not fit.
    """
    check_settings(settings)
    settings, notes = resolve_start(settings)
    start = read_start(settings)
    if start is not None and settings.resolution is None and not settings.resolutions:
        settings = settings.model_copy(update={"resolution": probe_resolution(settings, start, progress)})
    return settings, notes


def new_path(settings: Settings) -> Path:
    """Return a free place in ``runs/`` named after what is searched."""
    settings, _ = resolve_start(settings)
    name = f"{Path(settings.space).stem}-{_source(settings)}-{settings.seed}"
    base = Path(os.environ.get("EVONAS_RUNS", "runs")) / name
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_name(f"{name}-{number}")
    return path


def _source(settings: Settings) -> str:
    """Return a short name of the data, or of the table."""
    source = settings.data or (settings.table[0] if settings.table else "digits")
    return Path(source).name.partition(".")[0] or "data"


class _Search:
    """The steps of one search in its run."""

    def __init__(
        self,
        problem: SearchProblem,
        run: Run,
        progress: Progress,
        after_generation: Callable[[Run], None] | None,
        began: float,
    ) -> None:
        self.problem, self.run, self.progress = problem, run, progress
        self.began = began
        self.after_generation = after_generation or (lambda run: None)
        self.settings = problem.settings

    def go(self) -> None:
        """Do the whole search, or what is left of it."""
        budget = self.budget()
        self.progress.plan(phases_of(self.problem, self.baselines()))
        with self.timed(), torch_threads(self.settings.threads):
            if self.settings.surrogate:
                self.progress.say("Predictors choose what is evaluated, in small rounds (--no-surrogate: none do)")
            if self.settings.anchors:
                announce_anchors(self.problem, self.progress)
            prepare = SearchSetup(self.problem, self.run, self.progress, budget)
            prepare.latency_table()
            prepare.free_reference()
            if self.problem.feasibility is not None:
                for line in self.problem.feasibility.sentences():
                    self.progress.say(line)
            first = self.problem.with_feasible(prepare.warm_start())
            context = self.problem.context()
            if self.problem.learned:
                network = prepare.supernet()
                context = self.problem.context(
                    supernet=network, supernet_fingerprint=weights_fingerprint(network), progress=self.progress
                )
            context = self.anchored(context, budget)
            with self.engine(context) as engine:
                objectives = self.objectives(engine)
                search = search_asynchronously if self.settings.asynchronous else search_by_generations
                texts, values = search(
                    self.problem, self.run, first, objectives, engine, self.progress, self.after_generation, budget
                )
                self.note_efficiency(engine)
                self.note_weights(engine)
                self.run.update_manifest(timings={"evaluations_computed": engine.computed})
                write_front(self.problem, self.run, objectives, texts, values, context, self.progress, budget)
                baselines = self.baselines()
                if "transfer" in baselines:
                    cost = search_cost(self.problem, self.run, texts)
                    self.run.update_manifest(transfer={"search_cost": cost})
                if "random" in baselines:
                    write_baseline(self.problem, self.run, objectives, values, engine, context, self.progress)

    def baselines(self) -> set[str]:
        """Return what the search is compared with, as asked for at its start or when it was resumed."""
        return {*self.settings.baseline, *(self.run.manifest.get("baseline") or ())} - {"none"}

    def budget(self) -> Budget:
        """Return the time that is left of what settings give; a search that is prolonged has no deadline."""
        prolonged = self.run.manifest.get("generations") is not None
        seconds = None if self.settings.time is None or prolonged else parse_time(self.settings.time)
        steps = {"supernet": bool(self.problem.learned), "latency table": "latency" in self.problem.evaluated}
        steps |= {"anchors": bool(self.settings.anchors)}
        steps |= {"scores": self.settings.warm_start > 0 and self.problem.data is not None}
        steps |= {"evolution": True, "front": True}
        steps |= {"baseline": "random" in self.baselines()}
        spent = self.run.manifest.get("timings", {}).get("search_seconds", 0.0)
        late = time.monotonic() - self.began  # reading the data is part of it
        return Budget(seconds, [name for name, has in steps.items() if has], spent=spent + late)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add up the time of a search that was resumed; a session that is killed counts as begun, its time is lost."""
        before = self.run.manifest.get("timings", {})
        self.run.update_manifest(timings={"sessions": before.get("sessions", 0) + 1})
        began = time.perf_counter()
        try:
            yield
        finally:
            seconds = before.get("search_seconds", 0.0) + time.perf_counter() - began
            with suppress(RunError):  # a full disk has been told of already
                self.run.update_manifest(
                    timings={"search_seconds": round(seconds, 3), "sessions_timed": before.get("sessions_timed", 0) + 1}
                )

    def anchored(self, context: Context, budget: Budget) -> Context:
        """Return what evaluators are made from, with the anchors that settings ask for, trained now or before."""
        if not self.settings.anchors:
            return context
        training = AnchorTraining(self.problem, self.run, context, self.engine, self.progress, budget)
        anchors = training.train()
        if not anchors.known:
            self.progress.say("No anchor tells anything: acc is what shared weights, FLOPs and SWAP say")
            return context
        options = {"anchors": anchors, "signal_reader": training.reader}
        return replace(context, options={**context.options, **options})

    @contextmanager
    def engine(self, context: Context, names: Sequence[str] | None = None) -> Iterator[LocalEngine]:
        """Yield what evaluates objectives, by default all: this process, with workers where settings ask for them."""
        settings, evaluators = self.settings, self.problem.evaluators(context, names)
        expensive = {name: one.fingerprint for name, one in evaluators.items() if is_expensive(one)}
        folder, files = self.run.path.resolve(), {}
        if context.supernet is not None:
            files["supernet"] = str(folder / "supernet.safetensors")
        if "anchors" in context.options:
            files["anchors"] = str(folder / ANCHORS_FILE)
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
            self.progress.say(
                f"Note: {settings.workers} workers of {settings.threads} threads share {cores} cores; fewer are as fast"
            )
        with open_pool(
            spec,
            kind=settings.engine,
            workers=settings.workers,
            timeout=parse_time(settings.timeout) if settings.timeout else None,
            address=settings.address,
            gpus=1.0 if self.problem.device.startswith("cuda") else 0.0,
        ) as pool:
            yield LocalEngine(evaluators, self.run.store, pool)

    def objectives(self, engine: LocalEngine) -> list[Objective]:
        """Return what is optimized, in order, and write it down."""
        names = self.problem.names
        if better := suggestion(self.settings.algorithm, len(names)):
            self.progress.say(better)
        objectives = [next(o for o in engine.evaluators[name].objectives if o.name == name) for name in names]
        self.run.update_manifest(objectives=[asdict(objective) for objective in objectives])
        return objectives

    def note_efficiency(self, engine: LocalEngine) -> None:
        """Say how much of the workers' time was spent on evaluations."""
        if engine.efficiency is None:
            return
        self.progress.say(f"{self.settings.workers} workers: parallel efficiency {engine.efficiency:.0%}")
        self.run.update_manifest(
            engine={"workers": self.settings.workers, "parallel_efficiency": round(engine.efficiency, 4)}
        )

    def note_weights(self, engine: LocalEngine) -> None:
        """Say what the default estimate of accuracy counts, where anything was estimated."""
        evaluator = engine.evaluators.get("acc")
        if isinstance(evaluator, RankedEvaluator):
            self.note_trust(evaluator)
        if not engine.computed or not isinstance(evaluator, AccuracyEvaluator) or evaluator.weights is None:
            return
        weights = {name: round(weight, 4) for name, weight in evaluator.weights.items()}
        self.run.update_manifest(acc_weights=weights)
        if (shared := weights["shared weights"]) < LITTLE_WEIGHT:
            self.progress.say(
                f"Shared weights disagree with FLOPs and SWAP and count {shared:.0%} of acc: more --epochs may help"
            )

    def note_trust(self, evaluator: RankedEvaluator) -> None:
        """Write down how far to trust predicted accuracy: how well it and each signal order the anchors."""
        if "acc_trust" in self.run.manifest:
            return  # what it rests on does not change, and reading it anew takes a while
        calibration = evaluator.calibration
        self.run.update_manifest(
            acc_trust={
                "agreement": {name: asdict(one) for name, one in evaluator.agreements().items()},
                "anchors": len(evaluator.anchors.known),
                "top": int(evaluator.anchors.top.sum()),
                "weights": {name: round(weight, 4) for name, weight in evaluator.ranker.weights.items()},
                "calibrated": evaluator.calibrated,
                "error": None if calibration is None else calibration.error,
                "noise": None if calibration is None else calibration.noise,
            }
        )
