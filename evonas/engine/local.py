"""The engine: what is stored answers at once, what is not is computed, here or by workers, and stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

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
            done: Called with how many more candidates are known.
            over: Asked before each expensive evaluation; once it says yes no more are begun. None: all are.

        Returns:
            Floats of shape ``(n, len(names))`` in natural directions, NaN where an evaluation failed or was not begun.

        Raises:
            EvaluationError: Ten in a row failed.
        """
        request = _Request(candidates, names, done)

        def accept(evaluator: Evaluator, indices: Sequence[int], rows: Sequence[Row]) -> None:
            self.record(evaluator, [request.texts[i] for i in indices], rows)
            request.accept(indices, rows)

        remote: list[tuple[Evaluator, int]] = []
        # Cheap ones first: one that fails in a row stops the search before hours of expensive work.
        for evaluator in sorted(_unique(self.evaluators[name] for name in names), key=is_expensive):
            missing = request.look_up(evaluator, self.store)
            if self.pool is not None and is_expensive(evaluator):
                remote += [(evaluator, index) for index in missing]
                continue
            for start in range(0, len(missing), evaluator.batch):
                if over is not None and is_expensive(evaluator) and over():
                    break
                indices = missing[start : start + evaluator.batch]
                accept(evaluator, indices, attempt(evaluator, [candidates[i] for i in indices]))
        self._evaluate_remotely(remote, request.texts, accept, over)
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
        remote: Sequence[tuple[Evaluator, int]],
        texts: Sequence[str],
        accept: Callable[[Evaluator, Sequence[int], Sequence[Row]], None],
        over: Callable[[], bool] | None,
    ) -> None:
        """Have workers compute; where it may be over before all are, no more are under way than workers."""
        jobs = [Job(k, e.objectives[0].name, texts[index]) for k, (e, index) in enumerate(remote)]
        if over is None:
            self.send(jobs)
            sent, jobs = len(jobs), []
        else:
            sent = 0
        while sent or jobs:
            while jobs and self.pool is not None and sent < self.pool.size:
                if over is not None and over():
                    jobs = []
                    break
                self.send([jobs.pop(0)])
                sent += 1
            if sent:
                number, row = self.receive()
                sent -= 1
                evaluator, index = remote[number]
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
        return [i for i, text in enumerate(self.texts) if any(text not in known[name] for name in wanted)]

    def accept(self, indices: Sequence[int], rows: Sequence[Row]) -> None:
        """Take over what was computed; candidates that come singly are reported at once."""
        for index, row in zip(indices, rows, strict=True):
            for name, result in row.items():
                if name in self._columns and result.value is not None:
                    self.values[index, self._columns[name]] = result.value
        if len(indices) == 1 and not self._reported[indices[0]]:
            self._reported[indices[0]] = True
            self._done(1)

    def finish(self) -> None:
        """Report all that were not reported."""
        self._done(int((~self._reported).sum()))


def is_expensive(evaluator: Evaluator) -> bool:
    """Return whether workers compute what an evaluator does, where there are any."""
    return evaluator.batch == 1 and not evaluator.measures


def _unique(evaluators: Iterable[Evaluator]) -> list[Evaluator]:
    return list({id(evaluator): evaluator for evaluator in evaluators}.values())
