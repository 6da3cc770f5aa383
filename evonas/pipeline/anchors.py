"""Anchors of a search: candidates that are trained for real, in rounds, so that a ranker learns from them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from evonas.engine import LocalEngine
from evonas.errors import EvaluationError, SettingsError
from evonas.files.progress import Progress
from evonas.objectives import Context
from evonas.objectives.accuracy.anchor import AnchorEvaluator, anchor_name
from evonas.objectives.accuracy.ranked import FUSED_BY, RankedEvaluator
from evonas.objectives.accuracy.signal_reader import SignalReader
from evonas.pipeline.anchor_defaults import FEWEST_ANCHORS
from evonas.pipeline.budget import Budget
from evonas.pipeline.context import ANCHORS_FILE, ANCHORS_FOLDER
from evonas.pipeline.problem import SearchProblem
from evonas.predictors.anchor_set import Anchor, AnchorSet
from evonas.predictors.cokriging import CoKriging, choose_fidelities
from evonas.predictors.encoders import TokenColumns
from evonas.predictors.ranker import propose_anchors
from evonas.runs.run import Run
from evonas.spaces import Architecture, Candidate, parse_candidate
from evonas.training.pyramid import Outcome, Pyramid, climb

__all__ = ["AnchorTraining", "anchor_rounds", "announce_anchors"]

FEWEST_IN_ROUNDS = 8
"""Anchors from which they are chosen in several rounds."""
POOL = 4
"""Candidates that are looked at for each anchor, at least, where bounds leave the reference sample out."""

Engine = Callable[[Context, Sequence[str]], AbstractContextManager[LocalEngine]]
"""From a context and objectives to what evaluates them."""


def anchor_rounds(number: int) -> list[int]:
    """Return how many anchors each round chooses: half of them at the start, then a quarter at a time."""
    if number < FEWEST_IN_ROUNDS:
        return [number] if number else []
    rounds, left = [-(-number // 2)], number // 2
    while left:
        rounds.append(min(-(-number // 4), left))
        left -= rounds[-1]
    return rounds


def announce_anchors(problem: SearchProblem, progress: Progress) -> None:
    """Say in a line what anchors will be trained."""
    number, ladder = problem.settings.anchors, problem.ladder
    if not number:
        return
    first, *others = anchor_rounds(number)
    progress.say(
        f"Anchors: {number} candidates are trained alone, in {1 + len(others)} rounds, to "
        f"{' and '.join(map(str, ladder.epochs))} epochs, {_climbers(problem)}: at most "
        f"{ladder.total_epochs(first, others)} epochs in all (--anchors 0: none)"
    )


def _climbers(problem: SearchProblem) -> str:
    if problem.settings.anchor_rounds == "cokriging":
        return "later rounds as co-kriging tells what is worth its cost"
    return f"the better {problem.ladder.fraction:.0%} of each round to the next level"


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
        self.context = problem.anchor_context(context, run.path / ANCHORS_FOLDER)
        self.reader = SignalReader(context)
        self._pyramid = Pyramid(self.ladder)
        self._number = problem.settings.anchors or 0

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
            self._number = self._affordable(engine, names[0])
            left = max(0, self._number - len(taken))
            rounds = anchor_rounds(left)
            epochs = self.ladder.total_epochs(*_start_and_rounds(rounds, bool(taken)))
            with self.progress.task("Training anchors", epochs) as task:
                for number in rounds:
                    self._round(number, lambda keys, level: self._train(engine, keys, level, task.advance))
        anchors = self.anchors
        self.run.write(ANCHORS_FILE, anchors.to_json())
        self._note(engine, anchors, len(taken))
        return anchors

    @property
    def anchors(self) -> AnchorSet:
        """What is known so far."""
        pyramid = self._pyramid
        found = [Anchor(key, tuple(values), pyramid.failed.get(key)) for key, values in pyramid.values.items()]
        return AnchorSet(self.ladder.epochs, tuple(found))

    def _train(
        self, engine: LocalEngine, keys: Sequence[str], level: int, advance: Callable[[int], None]
    ) -> list[Outcome]:
        epochs, step = self.ladder.epochs[level], self.ladder.steps[level]
        candidates = [parse_candidate(key, self.problem.space) for key in keys]
        name = anchor_name(epochs)
        engine.evaluate(candidates, [name], lambda n: advance(step * n))
        stored = self.run.store.lookup(list(keys), name, engine.evaluators[name].fingerprint)
        return [(stored[key].value, stored[key].cause) for key in keys]

    def _round(self, number: int, train: Callable[[Sequence[str], int], list[Outcome]]) -> None:
        """Do a round: new candidates enter and the better half climbs, or what tells most for its cost is trained."""
        if self.problem.settings.anchor_rounds == "halving" or not self._pyramid.values:
            climb(self._pyramid, self._chosen(number), train)
            return
        for key, last in self._telling(number):
            for level in range(len(self._pyramid.values.get(key, ())), last + 1):
                self._pyramid.enter([key])
                if key not in self._pyramid.failed:
                    self._pyramid.record(key, *train([key], level)[0])

    def _telling(self, number: int) -> list[tuple[str, int]]:
        """Return what is trained next and to which level, by gain per multiply-add (`choose_fidelities`).

        The multiply-adds are at most those of a round of halving with as many candidates of mean cost; at most
        `number` of them are new.

        Raises:
            EvaluationError: All anchors so far have failed, so that nothing tells what to train.
        """
        pyramid = self._pyramid
        # Failures count: after a round of them the next one is another.
        trained = sum(map(len, pyramid.values.values())) + len(pyramid.failed)
        if trained == len(pyramid.failed):
            first = next(iter(pyramid.failed.values()))
            raise EvaluationError(
                f"All {trained} anchors so far failed, so that co-kriging has nothing to learn from; the first: "
                f"{first}. Use --anchors 0, or --anchor-rounds halving to train others"
            )

        def propose() -> list[tuple[str, int]]:
            rng = np.random.default_rng([self.problem.settings.seed, 22, trained])
            epochs = np.array(self.ladder.epochs)
            paused = [key for key in pyramid.values if key not in pyramid.failed]
            new = [one for one in self._pool(rng) if str(one) not in pyramid.values]
            candidates = [*(parse_candidate(key, self.problem.space) for key in paused), *new]
            flops = self._flops(candidates)
            reached = np.array([len(pyramid.values[key]) for key in paused] + [0] * len(new))
            before = np.concatenate([[0], epochs])[reached]
            costs = np.where(epochs > before[:, None], flops[:, None] * (epochs - before[:, None]), np.inf)
            columns = self._columns([one.architecture for one in candidates])
            rows = [(r, level, v) for r, key in enumerate(paused) for level, v in enumerate(pyramid.values[key])]
            places, levels, values = (np.array(column) for column in zip(*rows, strict=True))
            process = CoKriging().fit(columns[places], levels, values)
            budget = self.ladder.round_epochs(number) * float(flops.mean())
            chosen: list[tuple[str, int]] = []
            order = choose_fidelities(process, columns, costs[:, list(process.levels)], len(candidates))
            fresh = 0
            for row, level in order:
                fresh += row >= len(paused)
                budget -= costs[row, level]
                if chosen and (fresh > number or budget < 0):  # one is always trained
                    break
                chosen.append((str(candidates[row]), level))
            return chosen

        return [(key, level) for key, level in self.run.store.decide(f"anchors told {trained}", propose)]

    def _flops(self, candidates: Sequence[Candidate]) -> np.ndarray:
        rows = self.problem.bounds.cheap["flops"].evaluate(candidates)
        return np.array([row["flops"].value for row in rows], dtype=float)

    def _columns(self, architectures: Sequence[Architecture]) -> np.ndarray:
        described = self.reader(architectures).described
        return TokenColumns(self.reader.encoder.names, described, FUSED_BY)(described)

    def _chosen(self, number: int) -> list[str]:
        """Return a round's candidates: spread over cost and, once there are anchors, over what the ranker doubts."""
        known = len(self._pyramid.values)

        def propose() -> list[str]:
            rng = np.random.default_rng([self.problem.settings.seed, 21, known])
            pool = [one for one in self._pool(rng) if str(one) not in self._pyramid.values]
            ranked = RankedEvaluator(self.context, self.anchors, self.reader)
            unsure = ranked.uncertainty([one.architecture for one in pool]) if known else None
            rows = propose_anchors(self._flops(pool), unsure, number, rng)
            return [str(pool[row]) for row in rows]

        chosen: list[str] = self.run.store.decide(f"anchors {known}", propose)
        return chosen

    def _pool(self, rng: np.random.Generator) -> list[Candidate]:
        """Return what anchors are chosen from: the reference sample where nothing bounds what is searched."""
        reference = [Candidate(form) for form in self.reader.forms]
        if not self.problem.constraints and len(reference) >= 2 * self._number:
            return reference
        return self.problem.bounds.sample(max(POOL * self._number, len(reference)), rng)[1]

    def _affordable(self, engine: LocalEngine, first: str) -> int:
        """Return how many anchors are trained: as many as asked for, or fewer where a deadline allows no more."""
        wanted = self._number

        def count() -> int:
            if not self._budget.bounded:
                return wanted
            share, began = self._budget.share("anchors"), self._budget.now()
            pool = sorted(self._pool(np.random.default_rng(0)), key=lambda one: float(self._flops([one])[0]))
            middle = pool[len(pool) // 2]
            engine.evaluate([middle], [first])
            spent = self._budget.now() - began
            (row,) = self.run.store.lookup([str(middle)], first, engine.evaluators[first].fingerprint).values()
            workers = engine.pool.size if engine.pool is not None else 1
            epochs = (share - spent) / max(row.seconds / self.ladder.epochs[0], 1e-9) * workers
            found = wanted
            while found and self.ladder.total_epochs(*_start_and_rounds(anchor_rounds(found), False)) > epochs:
                found -= 1
            return found if found >= min(FEWEST_ANCHORS, wanted) else 0

        number: int = self.run.store.decide("anchors in number", count)
        if number < wanted:
            self.progress.say(f"{number} anchors are trained: the time allows no more")
        return number

    def _take_over(self, engine: LocalEngine) -> list[str]:
        """Take over what another run has trained of equal fingerprint; return these candidates in their order."""
        source = self.problem.settings.anchors_from
        if source is None:
            return []
        prints = {name: evaluator.fingerprint for name, evaluator in engine.evaluators.items()}

        def copy() -> list[str]:
            with Run.open(source) as other:
                rows = [row for row in other.store.evaluations() if prints.get(row.objective) == row.fingerprint]
                everything = sum(row.objective.startswith("anchor@") for row in other.store.evaluations())
            if not rows:
                raise SettingsError(
                    f"None of the {everything} trainings of anchors in {source} is of this search's kind: data, seed, "
                    "space, skeleton, threads, --anchor-epochs, --distillation and --teacher must be the same"
                )
            self.run.store.record(rows)
            for file in sorted((Path(source) / ANCHORS_FOLDER).glob("*.safetensors")):
                target = self.run.path / ANCHORS_FOLDER / file.name
                target.parent.mkdir(exist_ok=True)
                if not target.exists():
                    shutil.copyfile(file, target)
            return list(dict.fromkeys(row.architecture for row in rows))

        taken: list[str] = self.run.store.decide("anchors taken over", copy)
        for key in self._pyramid.enter(taken):
            for level, epochs in enumerate(self.ladder.epochs):
                name = anchor_name(epochs)
                row = self.run.store.lookup([key], name, prints[name]).get(key)
                if row is None or len(self._pyramid.values[key]) < level or key in self._pyramid.failed:
                    break
                self._pyramid.record(key, row.value, row.cause)
        self.progress.say(f"{len(taken)} anchors are taken over from {source}")
        return taken

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


def _start_and_rounds(rounds: Sequence[int], started: bool) -> tuple[int, Sequence[int]]:
    """Return the start's size and those of further rounds; where something stands already, all are further ones."""
    return (0, rounds) if started or not rounds else (rounds[0], rounds[1:])
