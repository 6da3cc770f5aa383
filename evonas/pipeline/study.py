"""Study: a search by ask and tell, whose candidates are evaluated by whoever asks.

study = evonas.Study(space="darts", objectives=("error:min", "flops"), out="runs/mine")
while len(study) < 200:
    for candidate in study.ask(4):
        study.tell(candidate, {"error": my_error(candidate.architecture)})
print(study.front.select("knee"))
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from evonas.errors import EvaluationError, RunError, SettingsError
from evonas.evolution import SteadyEvolution
from evonas.objectives import Context, Evaluator, fingerprint, make_evaluator
from evonas.pareto.assemble import make_front
from evonas.pareto.dominance import minimized
from evonas.pareto.front import Front
from evonas.pareto.objective import Constraint, Direction, Objective, parse_constraints, split_names
from evonas.pipeline.genome import SearchGenome
from evonas.runs.manifest import compare_manifest, new_manifest
from evonas.runs.run import Run
from evonas.runs.store import Evaluation
from evonas.spaces import Candidate, Space, load_space

__all__ = ["Study"]

DIRECTIONS: dict[str, Direction] = {"max": "max", "min": "min"}
COSTS = ("flops", "params")
"""Objectives that a study computes itself where they are not reported; less is better."""
REPORTED = "reported"
"""Fingerprint of values that a study was given."""


class Study:
    """A multi-objective search that proposes candidates and learns from the values reported for them.

    Any number of candidates may be out at a time, and values may come in any order. With `out`, each value is on the
    disk before `tell` returns; a study made again with the same arguments replays what is stored and goes on where it
    stopped, with the candidates that it would have asked for.

    Args:
        space: A shipped space's name, the path of a TOML file, or a `Space`.
        objectives: Names with their direction, such as ``"error:min"``; ``flops`` and ``params`` need none.
        constraints: Bounds such as ``"flops<=20e6"``, on objectives or on further names that are reported as well.
        seed: Of everything random.
        population: Candidates that may become parents, 2 or more.
        algorithm: Search algorithm, as ``evonas search`` takes it.
        skeleton: Skeleton that ``flops`` and ``params`` are those of.
        out: Run directory to make, or to go on with; None: nothing is stored.

    Raises:
        SettingsError: An argument makes no sense.
        RunError: What is stored was made with other arguments, or does not replay.
    """

    def __init__(
        self,
        space: str | Path | Space = "darts",
        objectives: Iterable[str] | str = ("error:min", "flops"),
        constraints: Iterable[str] | str = (),
        *,
        seed: int = 0,
        population: int = 40,
        algorithm: str = "nsga2",
        skeleton: str = "small",
        out: str | Path | None = None,
    ) -> None:
        self.space = space if isinstance(space, Space) else load_space(space)
        self.objectives = _read_objectives([objectives] if isinstance(objectives, str) else objectives)
        bounds = [constraints] if isinstance(constraints, str) else list(constraints)
        self.constraints: list[Constraint] = parse_constraints(bounds)
        names = [*(o.name for o in self.objectives), *(c.objective for c in self.constraints)]
        self._names = tuple(dict.fromkeys(names))
        context = Context(self.space, self.space.skeleton(skeleton), seed=seed)
        self._costs: dict[str, Evaluator] = {n: make_evaluator(n, context) for n in self._names if n in COSTS}
        self._genome = SearchGenome(self.space)
        self._evolution = SteadyEvolution(
            self._genome.cardinalities,
            key=self._genome.key,
            objectives=len(self.objectives),
            constraints=len(self.constraints),
            population=population,
            seed=seed,
            sample=self._genome.sample,
            ordered=self._genome.ordered,
            algorithm=algorithm,
        )
        self._out: dict[str, np.ndarray] = {}
        self._pending: list[Candidate] = []
        self._asked = 0
        self._texts: list[str] = []
        self._values: list[np.ndarray] = []
        self._size = population
        self.run: Run | None = None
        self._closed = False
        if out is not None:
            settings = {
                "space": self.space.name,
                "objectives": [f"{o.name}:{o.direction}" for o in self.objectives],
                "constraints": [str(constraint) for constraint in self.constraints],
                "seed": seed,
                "population": population,
                "algorithm": algorithm,
                "skeleton": skeleton,
            }
            self._open(Path(out), settings, seed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """Return how many candidates have been reported."""
        return len(self._texts)

    def close(self) -> None:
        """Write the front and close the run directory; closing again does nothing."""
        if self.run is not None and not self._closed:
            if self._texts:
                self.run.write("front.csv", self.front.to_csv())
                self.run.write("front.json", self.front.to_json())
            self.run.close()
        self._closed = True

    def ask(self, n: int = 1) -> list[Candidate]:
        """Return n candidates to evaluate, fewer where the space holds no more.

        After a resume those come first that were out when the study stopped.
        """
        candidates, self._pending = self._pending[:n], self._pending[n:]
        while len(candidates) < n:
            candidate = self._next()
            if candidate is None:
                break
            candidates.append(candidate)
        return candidates

    def tell(self, candidate: Candidate, values: Mapping[str, float] | None, cause: str = "failed") -> None:
        """Report the values of a candidate that is out.

        Args:
            candidate: What `ask` returned.
            values: By name, in natural directions: of every objective and every bounded name, but for costs that the
                study computes itself. None: the evaluation failed, and the candidate is never on the front.
            cause: Why it failed.

        Raises:
            EvaluationError: It is not out, a value is missing or not finite; nothing is taken in.
        """
        if self._closed:
            raise EvaluationError("Expected an open study, got one that was closed: make it again")
        text = str(candidate)
        if text not in self._out:
            raise EvaluationError(f"Expected one of the {len(self._out)} candidates that are out, got {text}")
        row = np.full(len(self._names), np.nan) if values is None else self._row(candidate, values)
        if self.run is not None:
            store = self.run.store
            # The order of asking and telling decides what is asked next: it is stored before the values count.
            store.decide(f"asked before {len(self._texts)}", lambda: self._asked)
            store.record(
                Evaluation(text, name, REPORTED, None if values is None else float(value), None if values else cause, 0)
                for name, value in zip(self._names, row, strict=True)
            )
            generation = len(self._texts) // self._size
            store.enroll(generation, [*self._texts[generation * self._size :], text])
        self._accept(text, row)

    @property
    def front(self) -> Front:
        """The feasible and not dominated among all candidates reported."""
        values = np.array(self._values).reshape(-1, len(self._names))
        return make_front(self._texts, values[:, : len(self.objectives)], self.objectives, self._violations(values))

    def _next(self) -> Candidate | None:
        genome = self._evolution.ask()
        if not len(genome):
            return None
        candidate = self._genome.candidate(genome[0])
        self._out[str(candidate)] = genome
        self._asked += 1
        return candidate

    def _row(self, candidate: Candidate, values: Mapping[str, float]) -> np.ndarray:
        """Return values in the order of names, costs computed where they are missing."""
        found: list[float] = []
        for name in self._names:
            value: float | None = values.get(name)
            if value is None and name in self._costs:
                value = self._costs[name].evaluate([candidate])[0][name].value
            if value is None or not math.isfinite(value):
                raise EvaluationError(f"Expected a finite value of '{name}', got {value}; tell None where one failed")
            found.append(float(value))
        return np.array(found)

    def _accept(self, text: str, row: np.ndarray) -> None:
        genome = self._out.pop(text)
        self._texts.append(text)
        self._values.append(row)
        own = minimized(row[None, : len(self.objectives)], [o.direction for o in self.objectives])
        self._evolution.tell(genome, own, self._violations(row[None]))

    def _violations(self, values: np.ndarray) -> np.ndarray:
        """Return by how much each row breaks each constraint, relative to its bound; NaN where the value is."""
        broken = np.zeros((len(values), len(self.constraints)))
        for k, constraint in enumerate(self.constraints):
            column = values[:, self._names.index(constraint.objective)]
            broken[:, k] = [constraint.violation(v) if np.isfinite(v) else np.nan for v in column]
        return broken

    def _open(self, path: Path, settings: Mapping[str, Any], seed: int) -> None:
        space = {"name": self.space.name, "fingerprint": fingerprint(self.space.content)}
        manifest = new_manifest(seed=seed, space=space)
        if not path.exists():
            self.run = Run.create(path, settings, manifest)
            return
        self.run = Run.open(path, write=True)
        try:
            differences = [
                f"{name}: {self.run.settings.get(name)} in the run, {value} now"
                for name, value in settings.items()
                if self.run.settings.get(name) != value
            ]
            refused, _ = compare_manifest(self.run.manifest, manifest)
            if differences or refused:
                raise RunError(f"{path} is another study's: {'; '.join([*differences, *refused])}")
            self._replay(self.run)
        except BaseException:
            self.run.close()
            raise

    def _replay(self, run: Run) -> None:
        """Ask and tell again what is stored, in its order; what was out then is asked for first."""
        texts = [member.architecture for member in run.store.members()]
        known = {name: run.store.lookup(texts, name, REPORTED) for name in self._names}
        asked = run.store.decisions("asked before ")
        out: dict[str, Candidate] = {}
        for number, text in enumerate(texts):
            while self._asked < asked[f"asked before {number}"]:
                candidate = self._next()
                if candidate is None:
                    break
                out[str(candidate)] = candidate
            if text not in out:
                raise RunError(f"{run.path} does not replay: {text} was not asked for; versions have changed")
            del out[text]
            values = [known[name][text].value for name in self._names]
            self._accept(text, np.array([np.nan if value is None else value for value in values]))
        self._pending = list(out.values())


def _read_objectives(texts: Iterable[str]) -> tuple[Objective, ...]:
    """Read names with their direction.

    Raises:
        SettingsError: A direction is missing, or is neither max nor min; a name stands twice.
    """
    objectives = []
    for text in split_names(texts):
        name, _, direction = text.rpartition(":") if ":" in text else (text, "", "min" if text in COSTS else "")
        if direction not in DIRECTIONS:
            raise SettingsError(f"Expected an objective with its direction, such as error:min, got '{text}'")
        objectives.append(Objective(name, "", DIRECTIONS[direction]))
    split_names([objective.name for objective in objectives])
    return tuple(objectives)
