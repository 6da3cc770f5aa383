"""Anchors of a search: candidates that are trained for real, in rounds, so that a ranker learns from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import Any

import numpy as np

from evonas.engine import LocalEngine
from evonas.files.progress import Progress
from evonas.networks import build
from evonas.objectives import Context
from evonas.objectives.accuracy.anchor import RECIPE, AnchorEvaluator, AnchorInterrupted, anchor_name
from evonas.objectives.accuracy.signal_reader import SignalReader
from evonas.pipeline.anchor_choice import AnchorChoice, known_anchors
from evonas.pipeline.anchor_rounds import affordable_anchors, anchor_rounds, start_and_rounds
from evonas.pipeline.anchor_takeover import take_over_anchors
from evonas.pipeline.budget import Budget
from evonas.pipeline.context import ANCHORS_FILE, ANCHORS_FOLDER
from evonas.pipeline.problem import SearchProblem
from evonas.predictors.anchor_set import AnchorSet
from evonas.runs.run import Run
from evonas.spaces import parse_candidate
from evonas.training import load_recipe
from evonas.training.pyramid import Outcome, Pyramid, climb
from evonas.training.throughput import seconds_per_epoch

__all__ = ["AnchorTraining"]

Engine = Callable[[Context, Sequence[str]], AbstractContextManager[LocalEngine]]
"""From a context and objectives to what evaluates them."""


END = "anchors end"
"""Decision in which call for trainings the time of the anchors was over."""


class _Over(Exception):
    """Raised where the time of the anchors is over."""


class AnchorTraining:
    """The rounds of anchors of a search; each does what is left of it in the run.

    Which candidates are trained follows from settings, results and counts alone; it is stored before it takes effect.

    Args:
        problem: What is searched.
        run: Where it is stored.
        context: What evaluators are made from, with the trained supernet.
        engine: Gives what evaluates.
        progress: Shows how far it is.
        budget: Time that may be taken.
    """

    def __init__(
        self,
        problem: SearchProblem,
        run: Run,
        context: Context,
        engine: Engine,
        progress: Progress,
        budget: Budget,
    ) -> None:
        self.problem, self.run, self.progress, self._engine, self._budget = problem, run, progress, engine, budget
        self.ladder = problem.ladder
        own = problem.anchor_context(context, run.path / ANCHORS_FOLDER)
        self._late: Callable[[], bool] | None = None
        # Workers make evaluators of their own: there a training that has begun ends.
        self.context = replace(own, options={**own.options, "over": self._over})
        self.reader = SignalReader(context)
        self._pyramid = Pyramid(self.ladder)
        self._choice = AnchorChoice(problem, run, self.context, self.reader, self._pyramid)
        self._number = problem.settings.anchors or 0
        self._calls = 0

    def _over(self) -> bool:
        return self._late is not None and self._late()

    def train(self) -> AnchorSet:
        """Train all rounds, write `ANCHORS_FILE`, and return what came of them.

        Raises:
            EvonasError: Another run's anchors do not fit, no teacher, or ten trainings in a row failed.
        """
        names = [anchor_name(epochs) for epochs in self.ladder.epochs]
        with self._engine(self.context, names) as engine:
            first = engine.evaluators[names[0]]
            assert isinstance(first, AnchorEvaluator)
            first.prepare()
            taken = self._take_over(engine)
            self._number = self._affordable(engine)
            left = max(0, self._number - len(taken))
            rounds = anchor_rounds(left)
            epochs = self.ladder.total_epochs(*start_and_rounds(rounds, bool(taken)))
            with self.progress.task("Training anchors", epochs) as task:
                self._late = self._budget.end_of("anchors") if self._budget.bounded else None
                with suppress(_Over):
                    for number in rounds:
                        self._round(number, lambda keys, level: self._train(engine, keys, level, task.advance))
        anchors = known_anchors(self._pyramid)
        self.run.write(ANCHORS_FILE, anchors.to_json())
        self._note(engine, anchors, len(taken))
        return anchors

    def _take_over(self, engine: LocalEngine) -> list[str]:
        """Take over the trainings of the run that settings name, if any; return these candidates in their order."""
        source = self.problem.settings.anchors_from
        if source is None:
            return []
        fingerprints = {name: evaluator.fingerprint for name, evaluator in engine.evaluators.items()}
        taken = take_over_anchors(source, self.run, self._pyramid, fingerprints)
        self.progress.say(f"{len(taken)} anchors are taken over from {source}")
        return taken

    def _train(
        self,
        engine: LocalEngine,
        keys: Sequence[str],
        level: int,
        advance: Callable[[int], None],
    ) -> list[Outcome]:
        """Train candidates to a level and return what that gave.

        Raises:
            _Over: The time ends before all are trained, now or when this was done first.
        """
        self._calls += 1
        if self._calls == self.run.store.decisions(END).get(END):
            raise _Over
        epochs, step = self.ladder.epochs[level], self.ladder.steps[level]
        candidates = [parse_candidate(key, self.problem.space) for key in keys]
        name = anchor_name(epochs)
        with suppress(AnchorInterrupted):
            engine.evaluate(candidates, [name], lambda n: advance(step * n), self._late)
        if self._late is not None and not engine.known(candidates, [name]).all():
            self.run.store.decide(END, lambda: self._calls)  # what of this call was trained counts for nothing
            self.progress.say("The time of the anchors is over: those trained so far teach the ranker")
            raise _Over
        stored = self.run.store.lookup(list(keys), name, engine.evaluators[name].fingerprint)
        return [(stored[key].value, stored[key].cause) for key in keys]

    def _round(self, number: int, train: Callable[[Sequence[str], int], list[Outcome]]) -> None:
        """Do a round: new candidates enter and the better half climbs, or what informs most for its cost is trained."""
        if self.problem.settings.anchor_rounds == "halving" or not self._pyramid.values:
            climb(self._pyramid, self._choice.enter(number, self._number), train)
            return
        for key, last in self._choice.most_informative(number, self._number):
            for level in range(len(self._pyramid.values.get(key, ())), last + 1):
                self._pyramid.enter([key])
                if key not in self._pyramid.failed:
                    self._pyramid.record(key, *train([key], level)[0])

    def _affordable(self, engine: LocalEngine) -> int:
        """Return how many anchors are trained: as many as asked for, or fewer where a deadline allows no more."""
        wanted = self._number

        def count() -> int:
            if not self._budget.bounded:
                return wanted
            pool = self._choice.pool(np.random.default_rng(0), wanted)
            pool = sorted(pool, key=lambda one: float(self._choice.flops([one])[0]))
            middle, data = pool[len(pool) // 2].architecture, self.problem.data
            assert data is not None  # what trains has images
            network = build(self.problem.space, self.problem.skeleton, middle)
            seconds = seconds_per_epoch(network, data, load_recipe(RECIPE), device=self.problem.device)
            workers = engine.pool.size if engine.pool is not None else 1
            epochs = self._budget.share("anchors") / max(seconds, 1e-9) * workers
            return affordable_anchors(self.ladder, wanted, epochs)

        number: int = self.run.store.decide("anchors in number", count)
        if number < wanted:
            self.progress.say(f"{number} anchors are trained: the time allows no more")
        return number

    def _note(self, engine: LocalEngine, anchors: AnchorSet, taken: int) -> None:
        """Write down what was trained and what it cost."""
        seconds = epochs = 0.0
        for level, step in enumerate(self.ladder.steps):
            name = anchor_name(self.ladder.epochs[level])
            keys = [anchor.text for anchor in anchors.anchors if len(anchor.values) > level]
            rows = self.run.store.lookup(keys, name, engine.evaluators[name].fingerprint)
            seconds += sum(row.seconds for row in rows.values())
            epochs += step * len(keys)
        content: dict[str, Any] = {
            "number": len(anchors.anchors),
            "taken_over": taken,
            "failed": sum(anchor.cause is not None for anchor in anchors.anchors),
            "levels": list(self.ladder.epochs),
            "reached": [sum(len(a.values) > level for a in anchors.anchors) for level in range(len(anchors.levels))],
            "epochs": int(epochs),
            "seconds": round(seconds, 3),
        }
        self.run.update_manifest(anchors=content)
