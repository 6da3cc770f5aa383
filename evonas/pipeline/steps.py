"""Steps of a search in reading order: latency table, warm start, supernet, anchors, evolution, front, baselines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, replace

import numpy as np

from evonas.engine import LocalEngine
from evonas.errors import RunError
from evonas.files.duration import parse_time
from evonas.files.progress import Progress
from evonas.objectives import Context
from evonas.pareto.objective import Objective
from evonas.pipeline.anchor_rounds import announce_anchors
from evonas.pipeline.anchors import AnchorTraining
from evonas.pipeline.asynchronous import search_asynchronously
from evonas.pipeline.baseline import write_baseline
from evonas.pipeline.budget import Budget
from evonas.pipeline.evaluation import open_engine
from evonas.pipeline.final_front import write_front
from evonas.pipeline.generational import search_by_generations
from evonas.pipeline.notes import note_efficiency, note_weights
from evonas.pipeline.phases import phases_of, planned_seconds
from evonas.pipeline.plan import budget_of
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.shrunk import FIRST, Shrunk, shrunk_first
from evonas.pipeline.surrogate import suggestion
from evonas.pipeline.transfer import search_cost
from evonas.pipeline.warmup import SearchSetup
from evonas.runs.run import Run
from evonas.runtime.threads import torch_threads
from evonas.supernet import weights_fingerprint

__all__ = ["SearchSteps"]


class SearchSteps:
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
        planned = planned_seconds(self.run.manifest)
        phases = phases_of(self.problem, self.baselines(), planned, bounded=budget.bounded)
        self.progress.plan(phases, budget.left if budget.bounded else None)
        with self.timed(), torch_threads(self.settings.threads):
            if self.settings.surrogate:
                self.progress.say("Predictors choose what is evaluated, in small rounds (--no-surrogate: none do)")
            if self.settings.anchors:
                announce_anchors(self.problem, self.progress)
            prepare = SearchSetup(self.problem, self.run, self.progress, budget)
            prepare.latency_table()
            prepare.free_reference()
            if self.problem.bounds.feasibility is not None:
                for line in self.problem.bounds.feasibility.sentences():
                    self.progress.say(line)
            first = self.problem.bounds.with_feasible(prepare.warm_start())
            context = self.problem.context()
            if self.problem.learned:
                network = prepare.supernet()
                context = self.problem.context(
                    supernet=network, supernet_fingerprint=weights_fingerprint(network), progress=self.progress
                )
                context = prepare.path_sample(context)
            context = self.anchored(context, budget)
            with self.engine(context) as engine:
                objectives = self.objectives(engine)
                if self.problem.start is not None and self.settings.warm_start == 0:
                    first = self.shrunk(first, objectives, engine, budget)
                search = search_asynchronously if self.settings.asynchronous else search_by_generations
                texts, values = search(
                    self.problem, self.run, first, objectives, engine, self.progress, self.after_generation, budget
                )
                note_efficiency(self.run, engine, self.settings.workers, self.progress)
                note_weights(self.run, engine, self.progress)
                self.run.update_manifest(timings={"evaluations_computed": engine.computed})
                write_front(self.problem, self.run, objectives, texts, values, context, self.progress, budget)
                baselines = self.baselines()
                if "transfer" in baselines:
                    cost = search_cost(self.problem, self.run, texts)
                    self.run.update_manifest(transfer={"search_cost": cost})
                if "random" in baselines:
                    write_baseline(self.problem, self.run, objectives, values, engine, context, self.progress)

    def shrunk(self, first: np.ndarray, objectives: list[Objective], engine: LocalEngine, budget: Budget) -> np.ndarray:
        """Return the first population of a search from published weights, where there is time for one that is read."""

        def choose() -> Shrunk:
            return shrunk_first(self.problem, objectives, engine, self.progress, budget)

        genomes = Shrunk(*self.run.store.decide(FIRST, choose)).genomes
        return first if genomes is None else self.problem.bounds.with_feasible(np.array(genomes, dtype=first.dtype))

    def baselines(self) -> set[str]:
        """Return what the search is compared with, as asked for at its start or when it was resumed."""
        return {*self.settings.baseline, *(self.run.manifest.get("baseline") or ())} - {"none"}

    def budget(self) -> Budget:
        """Return the time that is left of what settings give; a search that is prolonged has no deadline."""
        prolonged = self.run.manifest.get("generations") is not None
        seconds = None if self.settings.time is None or prolonged else parse_time(self.settings.time)
        spent = self.run.manifest.get("timings", {}).get("search_seconds", 0.0)
        late = time.monotonic() - self.began  # reading the data is part of it
        return budget_of(self.problem, self.baselines(), seconds, spent + late)

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
            with suppress(RunError):  # a full disk has been reported already
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
            self.progress.say("No anchor is of use: acc is what shared weights, FLOPs and SWAP predict")
            return context
        options = {"anchors": anchors, "signal_reader": training.reader}
        return replace(context, options={**context.options, **options})

    def objectives(self, engine: LocalEngine) -> list[Objective]:
        """Return what is optimized, in order, and write it down."""
        names = self.problem.names
        if better := suggestion(self.settings.algorithm, len(names)):
            self.progress.say(better)
        objectives = [next(o for o in engine.evaluators[name].objectives if o.name == name) for name in names]
        self.run.update_manifest(objectives=[asdict(objective) for objective in objectives])
        return objectives

    def engine(self, context: Context, names: Sequence[str] | None = None) -> AbstractContextManager[LocalEngine]:
        """Return what evaluates objectives, by default all; see `open_engine`."""
        return open_engine(self.problem, self.run, context, self.progress, names)
