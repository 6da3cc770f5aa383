"""Base of pools of workers: jobs go out in batches; a worker that dies or times out costs one try of one job."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from evonas.engine.job import JOB_RETRIES, Job, Row
from evonas.errors import EvaluationError
from evonas.objectives.result import Result

__all__ = ["Worker", "Workers"]

EVALUATION_SECONDS = 3600.0
"""Seconds after which an evaluation counts as timed out where no time-out is given."""
START_SECONDS = 1800.0
"""Seconds that a worker may take to be ready, for it imports, reads data and, to estimate accuracy, paths."""
DEATHS_IN_A_ROW = 3
"""Workers in a row that may die before they are ready, while none is."""
POLL_SECONDS = 60.0
"""Seconds between checks of workers."""


class Worker(ABC):
    """A worker process or actor, and the jobs that it has been given."""

    def __init__(self) -> None:
        self.ready = False
        self.batch: deque[tuple[Job, int]] = deque()  # with how often each was tried
        self.allow(START_SECONDS)

    def allow(self, limit: float) -> None:
        """Begin something that may take so many seconds; infinitely many: wait for jobs."""
        self.began, self.limit = time.monotonic(), limit
        self.deadline = self.began + limit

    @abstractmethod
    def give(self, jobs: Sequence[Job]) -> None:
        """Send jobs, which are computed in order."""

    @abstractmethod
    def end(self) -> None:
        """End it at once."""


W = TypeVar("W", bound=Worker)


class Workers(ABC, Generic[W]):
    """A `Pool` of workers, started when jobs come and started again where they end.

    Args:
        size: How many.
        timeout: Seconds after which an evaluation counts as timed out.
    """

    def __init__(self, size: int, timeout: float | None) -> None:
        self.size = size
        self._limit = timeout or EVALUATION_SECONDS
        self._waiting: deque[tuple[Job, int]] = deque()
        self._done: deque[tuple[int, Row]] = deque()
        self._workers: list[W] = []
        self._deaths = 0

    @abstractmethod
    def _start(self) -> W:
        """Start a worker."""

    @abstractmethod
    def _receive(self, seconds: float) -> None:
        """Take in workers' messages, waiting so long for the first: `_prepared`, `_finished` or `_drop`."""

    def _share(self) -> int:
        """Return how many jobs a worker is given at a time."""
        return 1

    def submit(self, jobs: Sequence[Job]) -> None:
        """Take jobs in and start what workers they need."""
        self._waiting.extend((job, 0) for job in jobs)
        self._assign()

    def next(self) -> tuple[int, Row]:
        """Wait for any job to finish.

        Raises:
            EvaluationError: Workers cannot make their evaluators, or die before they have.
        """
        while not self._done:
            self._assign()
            due = min(worker.deadline for worker in self._workers)
            self._receive(min(max(due - time.monotonic(), 0.0), POLL_SECONDS))
            for worker in [one for one in self._workers if one.deadline < time.monotonic()]:
                self._drop(worker, f"took longer than {worker.limit:g} s")
        return self._done.popleft()

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.end()
        self._workers.clear()
        self._waiting.clear()

    def _assign(self) -> None:
        """Give idle workers jobs, and start workers while there are more jobs than these."""
        n = self._share()
        for worker in self._workers:
            if worker.ready and not worker.batch and self._waiting:
                worker.batch.extend(self._waiting.popleft() for _ in range(min(n, len(self._waiting))))
                worker.allow(self._limit)
                worker.give([job for job, _ in worker.batch])
        coming = sum(not worker.ready for worker in self._workers)
        for _ in range(min(self.size - len(self._workers), len(self._waiting) - coming)):
            self._workers.append(self._start())

    def _prepared(self, worker: W, error: str | None = None) -> None:
        """Note that a worker is ready, or why it will never be."""
        if error:
            raise EvaluationError(f"A worker cannot start: {error}")
        worker.ready, self._deaths = True, 0
        worker.allow(float("inf"))

    def _finished(self, worker: W, number: int, row: Mapping[str, Sequence[Any]]) -> None:
        """Take in the result of the first job of a worker's batch."""
        worker.batch.popleft()
        self._done.append((number, {name: Result(*result) for name, result in row.items()}))
        worker.allow(self._limit if worker.batch else float("inf"))

    def _drop(self, worker: W, cause: str) -> None:
        """End a worker: the job it was at is tried once more, then it has failed; its others just wait again."""
        self._workers.remove(worker)
        worker.end()
        if not worker.ready:
            self._deaths += 1
            # Where others are ready, this one may only have found no free slot.
            if self._deaths >= DEATHS_IN_A_ROW and not any(one.ready for one in self._workers):
                raise EvaluationError(f"{DEATHS_IN_A_ROW} workers in a row did not start, the last: it {cause}")
        if not worker.batch:
            return
        (job, tries), *others = worker.batch
        self._waiting.extendleft(reversed(others))
        if tries < JOB_RETRIES:
            self._waiting.appendleft((job, tries + 1))
            return
        failure = Result(None, f"the worker {cause}" + " twice" * (tries > 0), time.monotonic() - worker.began)
        self._done.append((job.number, {job.objective: failure}))
