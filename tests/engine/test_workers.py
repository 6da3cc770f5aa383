"""What pools share, with workers that do as a script says: no process is started and no time passes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import pytest

from evonas.engine.job import Job
from evonas.engine.workers import DEATHS_IN_A_ROW, Worker, Workers
from evonas.errors import EvaluationError


class ScriptedWorker(Worker):
    """Does nothing by itself."""

    def give(self, jobs: Sequence[Job]) -> None:
        self.given = list(jobs)

    def end(self) -> None:
        self.ended = True


class ScriptedWorkers(Workers[ScriptedWorker]):
    """One worker at a time, to which happens what the script says: "die", "ready" or "finish"."""

    def __init__(self, script: Sequence[str]) -> None:
        super().__init__(1, None)
        self.script = deque(script)

    def _start(self) -> ScriptedWorker:
        return ScriptedWorker()

    def _receive(self, seconds: float) -> None:
        (worker,) = self._workers
        event = self.script.popleft()
        if event == "ready":
            self._prepared(worker)
        elif event == "die":
            self._drop(worker, "died")
        else:
            job, _ = worker.batch[0]
            self._finished(worker, job.number, {job.objective: (1.0, None, 0.5)})


START_FAILURES = ["die"] * (DEATHS_IN_A_ROW - 1)


def test_workers_that_die_before_they_are_ready_stop_the_search():
    pool = ScriptedWorkers([*START_FAILURES, "die"])
    pool.submit([Job(0, "length", "a")])
    with pytest.raises(EvaluationError, match="3 workers in a row did not start, the last: it died"):
        pool.next()


def test_a_worker_that_is_ready_ends_a_row_of_deaths():
    # Two die, one is ready, works and dies of its next job, two die again: never three in a row.
    pool = ScriptedWorkers([*START_FAILURES, "ready", "finish", "die", *START_FAILURES, "ready", "finish"])
    pool.submit([Job(0, "length", "a"), Job(1, "length", "b")])
    assert [pool.next()[0] for _ in range(2)] == [0, 1]
    assert not pool.script
