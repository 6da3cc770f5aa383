"""The engine: what is stored answers at once, what is not is computed, here or by workers, and stored."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from evonas.engine.job import Job, Pool, Row, attempt
from evonas.errors import EvaluationError
from evonas.objectives import Evaluator
from evonas.runs.store import Evaluation, Store
from evonas.spaces import Candidate

FAILURES_IN_A_ROW = 10
"""Failed evaluations in a row that stop a search: then something is wrong with more than one candidate."""


class LocalEngine:
    """Evaluates candidates: cheap objectives in this process, expensive ones in a pool where there is one.

    An evaluator is cheap where it names a `batch`: candidates that are worth storing in one go. One that
    measures (``measures = True``) runs here as well, while workers are idle.

    Args:
        evaluators: Objective name to the evaluator that computes it.
        store: Where results are kept; each is written the moment it is known.
        pool: Workers; they must make the same evaluators. None: everything is computed here.

    Attributes:
        computed: Candidates that an evaluator was asked for; what was stored does not count.
        busy: Seconds of evaluations that workers did.
    """

    def __init__(self, evaluators: Mapping[str, Evaluator], store: Store, pool: Pool | None = None) -> None:
        self.evaluators = dict(evaluators)
        self.store = store
        self.pool = pool
        self.computed = 0
        self.busy = self._began = self._ended = 0.0
        self._failures = 0

    @property
    def efficiency(self) -> float | None:
        """Share of the workers' time that evaluations took since the first was asked for, in [0, 1]; None without.

        What lowers it: starting workers, waiting for the last of a generation, and what the search does itself.
        """
        return (
            self.busy / ((self._ended - self._began) * self.pool.size) if self.pool is not None and self.busy else None
        )

    def evaluate(
        self,
        candidates: Sequence[Candidate],
        names: Sequence[str],
        done: Callable[[int], None] = lambda n: None,
        over: Callable[[], bool] | None = None,
    ) -> np.ndarray:
        """Return the values of candidates.

        Args:
            candidates: Candidates with canonical architectures.
            names: Objectives, in the order of the columns.
            done: Called with how many more candidates are known: with 1 once all that is evaluated one by one is.
            over: Asked before the expensive evaluations of each candidate, which then go candidate by candidate; once
                it says yes no other candidate is begun. None: all are, objective by objective.

        Returns:
            Floats of shape ``(n, len(names))`` in natural directions, NaN where an evaluation failed or was not begun.

        Raises:
            EvaluationError: Ten in a row failed.
        """
        request = _Request(candidates, names, done)

        def accept(evaluator: Evaluator, indices: Sequence[int], rows: Sequence[Row]) -> None:
            self.record(evaluator, [request.texts[i] for i in indices], rows)
            request.accept(evaluator, indices, rows)

        # Cheap ones first: one that fails in a row stops the search before hours of expensive work.
        evaluators = sorted(_unique(self.evaluators[name] for name in names), key=is_expensive)
        expensive: list[tuple[Evaluator, int]] = []
        for evaluator, missing in [(one, request.look_up(one, self.store)) for one in evaluators]:
            if is_expensive(evaluator):
                expensive += [(evaluator, index) for index in missing]
                continue
            for start in range(0, len(missing), evaluator.batch):
                indices = missing[start : start + evaluator.batch]
                accept(evaluator, indices, attempt(evaluator, [candidates[i] for i in indices]))
        if over is not None:  # what has some objectives only counts for nothing when it is over
            expensive.sort(key=lambda one: one[1])
        if self.pool is None:
            for number in _begun(expensive, over):
                evaluator, index = expensive[number]
                accept(evaluator, [index], attempt(evaluator, [candidates[index]]))
        else:
            room = len(expensive) if over is None else self.pool.size
            self._evaluate_remotely(expensive, room, request.texts, accept, over)
        request.finish()
        return request.values

    def known(self, candidates: Sequence[Candidate], names: Sequence[str]) -> np.ndarray:
        """Return of which candidates all objectives were evaluated, failures among them, shape ``(n,)``.

        Args:
            candidates: Candidates with canonical architectures.
            names: Objectives.
        """
        texts = [str(candidate) for candidate in candidates]
        found = [self.store.lookup(texts, name, self.evaluators[name].fingerprint) for name in names]
        return np.array([all(text in one for one in found) for text in texts], dtype=bool)

    def _evaluate_remotely(
        self,
        expensive: Sequence[tuple[Evaluator, int]],
        room: int,
        texts: Sequence[str],
        accept: Callable[[Evaluator, Sequence[int], Sequence[Row]], None],
        over: Callable[[], bool] | None,
    ) -> None:
        """Have workers compute, in order, no more at a time than there is room for."""
        waiting, under_way = _begun(expensive, over), 0
        while True:
            numbers = list(itertools.islice(waiting, room - under_way))
            jobs = [(number, *expensive[number]) for number in numbers]
            self.send([Job(number, one.objectives[0].name, texts[index]) for number, one, index in jobs])
            under_way += len(jobs)
            if not under_way:
                return
            number, row = self.receive()
            under_way -= 1
            evaluator, index = expensive[number]
            accept(evaluator, [index], [row])

    def send(self, jobs: Sequence[Job]) -> None:
        """Give the workers jobs."""
        if jobs:
            assert self.pool is not None
            self._began = self._began or time.perf_counter()
            self.pool.submit(jobs)

    def receive(self) -> tuple[int, Row]:
        """Wait for any job to finish and return its number and what came of it."""
        assert self.pool is not None
        number, row = self.pool.next()
        self.busy += max(result.seconds for result in row.values())
        self._ended = time.perf_counter()
        return number, row

    def record(self, evaluator: Evaluator, texts: Sequence[str], rows: Sequence[Row]) -> None:
        """Store the results of candidates.

        Raises:
            EvaluationError: It is the tenth failure in a row.
        """
        names = {objective.name for objective in evaluator.objectives}
        for row in rows:
            if names - set(row):  # a worker that died knows one name only
                (failure,) = row.values()
                row.update(dict.fromkeys(names - set(row), failure))
        self.store.record(
            Evaluation(text, name, evaluator.fingerprint, result.value, result.cause, result.seconds)
            for text, row in zip(texts, rows, strict=True)
            for name, result in row.items()
        )
        self.computed += len(texts)
        for row in rows:
            cause = next((result.cause for result in row.values() if result.cause is not None), None)
            self._failures = self._failures + 1 if cause is not None else 0
            if self._failures >= FAILURES_IN_A_ROW:
                raise EvaluationError(
                    f"{FAILURES_IN_A_ROW} evaluations in a row failed, the last with: {cause}; nothing stored is lost"
                )


class _Request:
    """Candidates whose values are asked for, and what is known of them by now.

    Attributes:
        texts: Their texts, the store's keys.
        values: Shape ``(candidates, names)``; NaN where nothing is known.
    """

    def __init__(self, candidates: Sequence[Candidate], names: Sequence[str], done: Callable[[int], None]) -> None:
        self.texts = [str(candidate) for candidate in candidates]
        self.values = np.full((len(candidates), len(names)), np.nan)
        self._columns = {name: column for column, name in enumerate(names)}
        self._reported = np.zeros(len(candidates), dtype=bool)
        self._missing = np.zeros(len(candidates), dtype=int)
        self._done = done

    def look_up(self, evaluator: Evaluator, store: Store) -> list[int]:
        """Take over what is stored of an evaluator's objectives, and return the indices of which some is missing."""
        wanted = [o.name for o in evaluator.objectives if o.name in self._columns]
        known = {name: store.lookup(self.texts, name, evaluator.fingerprint) for name in wanted}
        for name in wanted:
            for index, text in enumerate(self.texts):
                stored = known[name].get(text)
                if stored is not None and stored.value is not None:
                    self.values[index, self._columns[name]] = stored.value
        missing = [i for i, text in enumerate(self.texts) if any(text not in known[name] for name in wanted)]
        if evaluator.batch == 1:
            self._missing[missing] += 1
        return missing

    def accept(self, evaluator: Evaluator, indices: Sequence[int], rows: Sequence[Row]) -> None:
        """Take over what was computed; a candidate is reported with the last of what is evaluated one by one."""
        for index, row in zip(indices, rows, strict=True):
            for name, result in row.items():
                if name in self._columns and result.value is not None:
                    self.values[index, self._columns[name]] = result.value
        if evaluator.batch == 1:
            (index,) = indices
            self._missing[index] -= 1
            if not self._missing[index]:
                self._reported[index] = True
                self._done(1)

    def finish(self) -> None:
        """Report all that were not reported."""
        self._done(int((~self._reported).sum()))


def is_expensive(evaluator: Evaluator) -> bool:
    """Return whether workers compute what an evaluator does, where there are any."""
    return evaluator.batch == 1 and not evaluator.measures


def _begun(expensive: Sequence[tuple[Evaluator, int]], over: Callable[[], bool] | None) -> Iterator[int]:
    """Yield indices of evaluations until it is over, asked before the first of each candidate."""
    last = -1
    for number, (_, index) in enumerate(expensive):
        if over is not None and index != last and over():
            return
        last = index
        yield number


def _unique(evaluators: Iterable[Evaluator]) -> list[Evaluator]:
    return list({id(evaluator): evaluator for evaluator in evaluators}.values())
