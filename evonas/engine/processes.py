"""Processes on this machine: each computes one task at a time; one that dies or hangs costs only its task."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from evonas.engine.task import RETRIES, Recipe, Row, Task
from evonas.errors import EvaluationError
from evonas.objectives import Result

LIMIT = 3600.0
"""Seconds after which an evaluation counts as hung where no time-out is given."""
START = 600.0
"""Seconds that a worker may take to be ready, for it imports and reads data."""
DEATHS = 3
"""Workers in a row that may die before they are ready."""

_SOURCES = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]


class ProcessPool:
    """Worker processes, started when tasks come and started again where they end.

    Args:
        recipe: How they make their evaluators.
        size: How many.
        timeout: Seconds after which an evaluation counts as hung.
    """

    def __init__(self, recipe: Recipe, size: int, *, timeout: float | None = None) -> None:
        self.size = size
        self._first = json.dumps(asdict(recipe)) + "\n"
        self._threads, self._limit = recipe.threads, timeout or LIMIT
        self._waiting: deque[tuple[Task, int]] = deque()
        self._done: deque[tuple[int, Row]] = deque()
        self._workers: list[_Worker] = []
        self._deaths = 0
        self._selector = selectors.DefaultSelector()

    def submit(self, tasks: Sequence[Task]) -> None:
        """Take tasks in and start what workers they need."""
        self._waiting.extend((task, 0) for task in tasks)
        self._assign()

    def next(self) -> tuple[int, Row]:
        """Wait for any task to finish.

        Raises:
            EvaluationError: Workers cannot make their evaluators, or die before they have.
        """
        while not self._done:
            self._assign()
            now = time.monotonic()
            due = min((worker.deadline for worker in self._workers), default=now)
            for key, _ in self._selector.select(max(0.0, min(due - now, 60.0))):
                self._read(key.data)
            for worker in [w for w in self._workers if w.deadline < time.monotonic()]:
                self._drop(worker, f"took longer than {worker.limit:g} s")
        return self._done.popleft()

    def close(self) -> None:
        """Kill the workers."""
        for worker in self._workers:
            self._selector.unregister(worker.out)
            worker.end()
        self._workers.clear()
        self._waiting.clear()
        self._selector.close()

    def _assign(self) -> None:
        """Give idle workers tasks, and start workers while there are more tasks than these."""
        for worker in self._workers:
            if worker.ready and worker.task is None and self._waiting:
                worker.give(*self._waiting.popleft(), self._limit)
        coming = sum(not worker.ready for worker in self._workers)
        while len(self._workers) < self.size and coming < len(self._waiting):
            worker = _Worker(self._first, self._threads)
            self._workers.append(worker)
            self._selector.register(worker.out, selectors.EVENT_READ, worker)
            coming += 1

    def _read(self, worker: _Worker) -> None:
        for message in worker.read():
            if "error" in message:
                raise EvaluationError(f"A worker cannot start: {message['error']}")
            if "ready" in message:
                worker.ready, worker.deadline, self._deaths = True, float("inf"), 0
            else:
                self._done.append(
                    (message["number"], {name: Result(*result) for name, result in message["row"].items()})
                )
                worker.task, worker.deadline = None, float("inf")
        if worker.ended:
            self._drop(worker, worker.obituary())

    def _drop(self, worker: _Worker, cause: str) -> None:
        """End a worker; its task is tried once more, then it has failed."""
        self._selector.unregister(worker.out)
        self._workers.remove(worker)
        worker.end()
        if not worker.ready:
            self._deaths += 1
            if self._deaths >= DEATHS:
                raise EvaluationError(f"{DEATHS} workers in a row did not start, the last: it {cause}")
        if worker.task is None:
            return
        if worker.tries < RETRIES:
            self._waiting.appendleft((worker.task, worker.tries + 1))
            return
        seconds = time.monotonic() - worker.began
        failure = Result(None, f"the worker {cause}" + " twice" * (worker.tries > 0), seconds)
        self._done.append((worker.task.number, {worker.task.objective: failure}))


class _Worker:
    """One process, and what it is at."""

    def __init__(self, first: str, threads: int) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by end)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "evonas.engine.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env={**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(_SOURCES)},
            start_new_session=True,  # an interrupt is the search's to deal with
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.out = self._process.stdout
        self.task: Task | None = None
        self.tries, self.ready, self.ended = 0, False, False
        self.began, self.limit = time.monotonic(), START
        self.deadline = self.began + START
        self._rest = b""
        self._write(first)

    def give(self, task: Task, tries: int, limit: float) -> None:
        """Start a task."""
        self.task, self.tries, self.limit = task, tries, limit
        self.began = time.monotonic()
        self.deadline = self.began + limit
        self._write(json.dumps(task) + "\n")

    def read(self) -> list[dict[str, Any]]:
        """Return the messages that have come whole."""
        chunk = os.read(self.out.fileno(), 1 << 16)
        self.ended = not chunk
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [json.loads(line) for line in lines]

    def obituary(self) -> str:
        """Return what a worker that ended died of."""
        status = self._process.wait()
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        if status == -signal.SIGKILL:
            how += ", as the kernel does when memory runs out"
        self._said.seek(0)
        lines = self._said.read()[-2000:].decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"{how}: {last[:200]}" if last else how

    def end(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        for file in (self._process.stdin, self.out, self._said):
            with suppress(OSError):  # what was written was not read
                file.close()  # type: ignore[union-attr]

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended, which its output tells
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
