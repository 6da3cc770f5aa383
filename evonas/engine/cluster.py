"""Actors on a Ray cluster: each computes a batch at a time and sends results as they come."""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from evonas.engine.processes import DEATHS, LIMIT, START
from evonas.engine.task import RETRIES, Recipe, Row, Task, cause_of
from evonas.errors import EvaluationError, EvonasError, require
from evonas.objectives import Result

BATCH = 1.0
"""Seconds that a batch should take: then sending it costs little, and few are lost with a worker."""


class RayPool:
    """Actors of a cluster; one that ends with its node costs only what it was at, which others do again.

    The recipe's files, such as the supernet, go into the object store once and are on each node once.

    Args:
        recipe: How workers make their evaluators; the package and the data must be on every node.
        size: Actors.
        timeout: Seconds after which an evaluation counts as hung.
        address: Of the cluster; None: that of ``RAY_ADDRESS``, else a cluster of this machine is started.
        gpus: GPUs that each actor asks for; may be a share.

    Raises:
        MissingExtraError: Ray is not installed.
        EvaluationError: No cluster answers at the address.
    """

    def __init__(
        self, recipe: Recipe, size: int, *, timeout: float | None = None, address: str | None = None, gpus: float = 0.0
    ) -> None:
        self._ray: Any = require("ray", "ray")
        self.size = size
        self._limit = timeout or LIMIT
        self._ours = not self._ray.is_initialized()
        if self._ours:
            try:
                self._ray.init(address=address, include_dashboard=None if address else False, log_to_driver=False,
                               logging_level="ERROR")  # fmt: skip
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise EvaluationError(f"No Ray cluster at {address or 'RAY_ADDRESS'}: {cause_of(error)}") from error
        self._actor = self._ray.remote(num_cpus=recipe.threads, num_gpus=gpus, max_restarts=0)(_Actor)
        files = {name: np.frombuffer(Path(file).read_bytes(), np.uint8) for name, file in recipe.files.items()}
        self._files = {name: self._ray.put(content) for name, content in files.items()}
        self._recipe = asdict(recipe)
        self._waiting: deque[tuple[Task, int]] = deque()
        self._done: deque[tuple[int, Row]] = deque()
        self._workers: list[_Worker] = []
        self._deaths = 0
        self._seconds, self._count = 0.0, 0

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
            busy = [worker for worker in self._workers if worker.awaited is not None]
            due = min(worker.deadline for worker in busy)
            patience = max(0.01, min(due - time.monotonic(), 60.0))
            ready, _ = self._ray.wait([worker.awaited for worker in busy], timeout=patience)
            for worker in [w for w in busy if any(w.awaited is one for one in ready)]:
                self._read(worker)
            for worker in [w for w in self._workers if w.deadline < time.monotonic()]:
                self._drop(worker, f"took longer than {self._limit if worker.batch else START:g} s")
        return self._done.popleft()

    def close(self) -> None:
        """Kill the actors, and leave the cluster if it was entered here."""
        for worker in self._workers:
            self._ray.kill(worker.actor)
        self._workers.clear()
        self._waiting.clear()
        if self._ours:
            self._ray.shutdown()

    def _assign(self) -> None:
        """Give idle actors batches, and ask for actors while there are more tasks than these."""
        mean = self._seconds / self._count if self._count else BATCH
        share = -(-len(self._waiting) // self.size)
        n = max(1, min(share, int(BATCH / max(mean, 1e-4))))
        for worker in self._workers:
            if worker.ready and worker.awaited is None and self._waiting:
                worker.batch = deque(self._waiting.popleft() for _ in range(min(n, len(self._waiting))))
                evaluate = worker.actor.evaluate.options(num_returns="streaming")
                worker.awaited = evaluate.remote([tuple(task) for task, _ in worker.batch])
                worker.began = time.monotonic()
                worker.deadline = worker.began + self._limit
        coming = sum(not worker.ready for worker in self._workers)
        while len(self._workers) < self.size and coming < len(self._waiting):
            self._workers.append(_Worker(self._actor.remote()))
            self._workers[-1].awaited = self._workers[-1].actor.prepare.remote(self._recipe, list(self._files.items()))
            coming += 1

    def _read(self, worker: _Worker) -> None:
        """Take in what a worker has to say."""
        try:
            if not worker.ready:
                message = self._ray.get(worker.awaited)
                if message:
                    raise EvaluationError(f"A worker cannot start: {message}")
                worker.ready, worker.awaited, worker.deadline, self._deaths = True, None, float("inf"), 0
                return
            number, row = self._ray.get(next(worker.awaited))
        except StopIteration:
            worker.awaited, worker.deadline = None, float("inf")
            return
        except self._ray.exceptions.RayError as error:
            self._drop(worker, f"is gone: {cause_of(error)[:160]}")
            return
        worker.batch.popleft()
        self._done.append((number, {name: Result(*result) for name, result in row.items()}))
        self._seconds += time.monotonic() - worker.began
        self._count += 1
        worker.began = time.monotonic()
        worker.deadline = worker.began + self._limit

    def _drop(self, worker: _Worker, cause: str) -> None:
        """End a worker: the task it was at is tried once more, then it has failed; its others just wait again."""
        self._workers.remove(worker)
        self._ray.kill(worker.actor)
        if not worker.ready:
            self._deaths += 1
            if self._deaths >= DEATHS and not any(one.ready for one in self._workers):  # else the cluster is small
                raise EvaluationError(f"{DEATHS} workers in a row did not start, the last {cause}")
        if not worker.batch:
            return
        (task, tries), *others = worker.batch
        self._waiting.extendleft(reversed(others))
        if tries < RETRIES:
            self._waiting.appendleft((task, tries + 1))
            return
        failure = Result(None, f"the worker {cause}" + " twice" * (tries > 0), time.monotonic() - worker.began)
        self._done.append((task.number, {task.objective: failure}))


class _Worker:
    """An actor, and what it is at."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor
        self.ready = False
        self.awaited: Any = None  # a reference, or a generator of references; None while idle
        self.batch: deque[tuple[Task, int]] = deque()
        self.began = time.monotonic()
        self.deadline = self.began + START


class _Actor:
    """What runs on the cluster."""

    def prepare(self, recipe: dict[str, Any], files: list[tuple[str, Any]]) -> str:
        """Make the evaluators; return why that is not possible, or nothing."""
        import sys

        import ray

        sys.path[:] = [*recipe["path"], *(p for p in sys.path if p not in recipe["path"])]
        try:
            with tempfile.TemporaryDirectory() as folder:
                for name, reference in files:
                    path = Path(folder) / name
                    path.write_bytes(ray.get(reference).data)
                    recipe["files"][name] = str(path)
                self._evaluate = Recipe(**recipe).evaluate()
        except EvonasError as error:
            return " ".join(str(error).split())
        except Exception as error:
            return cause_of(error)
        return ""

    def evaluate(self, batch: list[tuple[int, str, str]]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield each result as it comes."""
        for number, objective, text in batch:
            row = self._evaluate(objective, text)
            yield number, {name: (r.value, r.cause, r.seconds) for name, r in row.items()}
