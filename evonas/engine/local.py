"""The engine: what is stored answers at once, what is not is computed, here or by workers, and stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from evonas.engine.task import Pool, Row, Task, attempt
from evonas.errors import EvaluationError
from evonas.objectives import Evaluator, Result
from evonas.spaces import Architecture
from evonas.store import Evaluation, Store

PATIENCE = 10
"""Failed evaluations in a row that stop a search: then something is wrong with more than one architecture."""


class LocalEngine:
    """Evaluates architectures: cheap objectives in this process, dear ones in a pool where there is one.

    An evaluator is cheap where it names a `batch`: architectures that are worth storing in one go. One that
    measures (``measures = True``) runs here as well, while workers are idle.

    Args:
        evaluators: Objective name to the evaluator that computes it.
        store: Where results are kept; each is written the moment it is known.
        pool: Workers; they must make the same evaluators. None: everything is computed here.

    Attributes:
        computed: Architectures that an evaluator was asked for; what was stored does not count.
        busy: Seconds of evaluations that workers did.
        waited: Seconds that this process waited for workers.
    """

    def __init__(self, evaluators: Mapping[str, Evaluator], store: Store, pool: Pool | None = None) -> None:
        self.evaluators = dict(evaluators)
        self.store = store
        self.pool = pool
        self.computed = 0
        self.busy = self.waited = 0.0
        self._failures = 0

    @property
    def efficiency(self) -> float | None:
        """Share of the workers' time that evaluations took, in [0, 1]; None where there are no workers."""
        return self.busy / (self.waited * self.pool.size) if self.pool is not None and self.waited else None

    def evaluate(
        self,
        architectures: Sequence[Architecture],
        names: Sequence[str],
        done: Callable[[int], None] = lambda n: None,
    ) -> np.ndarray:
        """Return the values of architectures.

        Args:
            architectures: Canonical architectures.
            names: Objectives, in the order of the columns.
            done: Told how many more architectures are known.

        Returns:
            Floats of shape ``(n, len(names))`` in natural directions, NaN where an evaluation failed.

        Raises:
            EvaluationError: Ten in a row failed.
        """
        values = np.full((len(architectures), len(names)), np.nan)
        texts = [str(architecture) for architecture in architectures]
        columns = {name: column for column, name in enumerate(names)}
        said = np.zeros(len(texts), dtype=bool)
        away: list[tuple[Evaluator, list[int]]] = []
        for evaluator in sorted(_unique(self.evaluators[name] for name in names), key=is_dear):
            wanted = [o.name for o in evaluator.objectives if o.name in columns]
            known = {name: self.store.lookup(texts, name, evaluator.fingerprint) for name in wanted}
            missing = [i for i, text in enumerate(texts) if any(text not in known[name] for name in wanted)]
            for name in wanted:
                column, found = columns[name], known[name]
                for i, text in enumerate(texts):
                    row = found.get(text)
                    if row is not None and row.value is not None:
                        values[i, column] = row.value
            if self.pool is not None and is_dear(evaluator):
                away.append((evaluator, missing))
                continue
            for places, rows in _here(evaluator, missing, architectures):
                self._keep(evaluator, places, rows, texts, columns, values)
                if len(places) == 1 and not said[places[0]]:
                    said[places[0]] = True
                    done(1)
        for evaluator, place, row in self._away(away, texts):
            self._keep(evaluator, [place], [row], texts, columns, values)
            if not said[place]:
                said[place] = True
                done(1)
        done(int((~said).sum()))
        return values

    def _away(
        self, work: Sequence[tuple[Evaluator, list[int]]], texts: Sequence[str]
    ) -> Iterator[tuple[Evaluator, int, Row]]:
        """Have the pool compute; yield results in the order they come."""
        todo = [(evaluator, place) for evaluator, places in work for place in places]
        if self.pool is None or not todo:
            return
        start = time.perf_counter()
        self.pool.submit([Task(k, e.objectives[0].name, texts[place]) for k, (e, place) in enumerate(todo)])
        for _ in todo:
            number, row = self.pool.next()
            self.waited += time.perf_counter() - start
            evaluator, place = todo[number]
            self.busy += max(result.seconds for result in row.values())
            missing = {o.name for o in evaluator.objectives} - set(row)
            if missing:  # a worker that died knows one name only
                (failure,) = row.values()
                row |= {name: Result(None, failure.cause, failure.seconds) for name in missing}
            yield evaluator, place, row
            start = time.perf_counter()

    def _keep(
        self,
        evaluator: Evaluator,
        places: Sequence[int],
        rows: Sequence[Row],
        texts: Sequence[str],
        columns: Mapping[str, int],
        values: np.ndarray,
    ) -> None:
        """Store results and put them into the values."""
        self.store.record(
            Evaluation(texts[i], name, evaluator.fingerprint, result.value, result.cause, result.seconds)
            for i, row in zip(places, rows)
            for name, result in row.items()
        )
        self.computed += len(places)
        for i, row in zip(places, rows):
            causes = [result.cause for result in row.values() if result.cause is not None]
            self._failures = self._failures + 1 if causes else 0
            if self._failures >= PATIENCE:
                raise EvaluationError(
                    f"{PATIENCE} evaluations in a row failed, the last with: {causes[0]}; nothing stored is lost"
                )
            for name, result in row.items():
                if name in columns and result.value is not None:
                    values[i, columns[name]] = result.value


def is_dear(evaluator: Evaluator) -> bool:
    """Return whether workers compute what an evaluator does, where there are any."""
    return getattr(evaluator, "batch", 1) == 1 and not getattr(evaluator, "measures", False)


def _unique(evaluators: Iterator[Evaluator]) -> list[Evaluator]:
    return list({id(evaluator): evaluator for evaluator in evaluators}.values())


def _here(
    evaluator: Evaluator, missing: list[int], architectures: Sequence[Architecture]
) -> Iterator[tuple[list[int], list[Row]]]:
    """Compute in this process, in batches where that is worthwhile."""
    size = getattr(evaluator, "batch", 1)
    for start in range(0, len(missing), size):
        places = missing[start : start + size]
        yield places, attempt(evaluator, [architectures[i] for i in places])
