"""Actors on a Ray cluster: each computes a batch at a time and sends results as they come."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from evonas.engine.job import Job, cause_of
from evonas.engine.spec import WorkerSpec
from evonas.engine.workers import Worker, Workers
from evonas.errors import EvaluationError, EvonasError, require

__all__ = ["RayPool"]

BATCH_SECONDS = 1.0
"""Seconds that a batch should take: then sending it costs little, and few are lost with a worker."""


class _Actor:
    """Actor that runs on the cluster."""

    def prepare(self, spec: dict[str, Any], files: list[tuple[str, Any]]) -> str:
        """Make the evaluators; return why that is not possible, or nothing."""
        import sys

        import ray

        sys.path[:] = [*spec["path"], *(p for p in sys.path if p not in spec["path"])]
        try:
            with tempfile.TemporaryDirectory() as folder:
                for name, reference in files:
                    path = Path(folder) / name
                    path.write_bytes(ray.get(reference).data)
                    spec["files"][name] = str(path)
                self._evaluate = WorkerSpec(**spec).evaluate()
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


class _Remote(Worker):
    """An actor, and what is awaited of it.

    Attributes:
        awaited: A reference, or a generator of references; None while idle.
    """

    def __init__(self, ray: Any, actor: Any, spec: dict[str, Any], files: Sequence[tuple[str, Any]]) -> None:
        super().__init__()
        self._ray, self._actor = ray, actor
        self.awaited: Any = actor.prepare.remote(spec, list(files))

    def give(self, jobs: Sequence[Job]) -> None:
        """Send a batch."""
        self.awaited = self._actor.evaluate.options(num_returns="streaming").remote([tuple(job) for job in jobs])

    def end(self) -> None:
        """Kill the actor."""
        self._ray.kill(self._actor)


class RayPool(Workers[_Remote]):
    """Actors of a cluster; one that ends with its node costs only what it was at, which others do again.

    The spec's files, such as the supernet, go into the object store once and are on each node once.

    Args:
        spec: How workers make their evaluators; the package and the data must be on every node.
        size: Actors.
        timeout: Seconds after which an evaluation counts as timed out.
        address: Of the cluster; None: that of ``RAY_ADDRESS``, else a cluster of this machine is started.
        gpus: GPUs that each actor asks for; may be a share.

    Raises:
        MissingExtraError: Ray is not installed.
        EvaluationError: No cluster answers at the address.
    """

    def __init__(
        self,
        spec: WorkerSpec,
        size: int,
        *,
        timeout: float | None = None,
        address: str | None = None,
        gpus: float = 0.0,
    ) -> None:
        super().__init__(size, timeout)
        self._ray: Any = require("ray", "ray")
        self._ours = not self._ray.is_initialized()
        if self._ours:
            try:
                self._ray.init(address=address, include_dashboard=None if address else False, log_to_driver=False,
                               logging_level="ERROR")  # fmt: skip
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise EvaluationError(f"No Ray cluster at {address or 'RAY_ADDRESS'}: {cause_of(error)}") from error
        self._actor = self._ray.remote(num_cpus=spec.threads, num_gpus=gpus, max_restarts=0)(_Actor)
        files = {name: np.frombuffer(Path(file).read_bytes(), np.uint8) for name, file in spec.files.items()}
        self._files = [(name, self._ray.put(content)) for name, content in files.items()]
        self._spec = asdict(spec)
        self._seconds, self._count = 0.0, 0

    def close(self) -> None:
        """Kill the actors, and leave the cluster if it was entered here."""
        super().close()
        if self._ours:
            self._ray.shutdown()

    def _start(self) -> _Remote:
        return _Remote(self._ray, self._actor.remote(), self._spec, self._files)

    def _share(self) -> int:
        mean = self._seconds / self._count if self._count else BATCH_SECONDS
        return max(1, min(-(-len(self._waiting) // self.size), int(BATCH_SECONDS / max(mean, 1e-4))))

    def _receive(self, seconds: float) -> None:
        busy = [worker for worker in self._workers if worker.awaited is not None]
        ready, _ = self._ray.wait([worker.awaited for worker in busy], timeout=seconds)
        for worker in [one for one in busy if any(one.awaited is reference for reference in ready)]:
            self._read(worker)

    def _read(self, worker: _Remote) -> None:
        try:
            if not worker.ready:
                message = self._ray.get(worker.awaited)
                worker.awaited = None
                self._prepared(worker, message)
                return
            number, row = self._ray.get(next(worker.awaited))
        except StopIteration:
            worker.awaited = None
        except self._ray.exceptions.RayError as error:
            self._drop(worker, f"is gone: {cause_of(error)[:160]}")
        else:
            self._seconds += time.monotonic() - worker.began
            self._count += 1
            self._finished(worker, number, row)
