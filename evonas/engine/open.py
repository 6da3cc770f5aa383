"""Opening the pool that settings ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from evonas.engine.job import Pool
from evonas.engine.processes import ProcessPool
from evonas.engine.spec import WorkerSpec

__all__ = ["open_pool"]


@contextmanager
def open_pool(
    spec: WorkerSpec,
    *,
    kind: str = "local",
    workers: int = 1,
    timeout: float | None = None,
    address: str | None = None,
    gpus: float = 0.0,
) -> Iterator[Pool | None]:
    """Yield workers, or None where this process does as well; they end with the context.

    Args:
        spec: How they make their evaluators; without fingerprints there is nothing for them to do.
        kind: ``"local"``: processes on this machine; ``"ray"``: actors on a cluster.
        workers: How many.
        timeout: Seconds after which an evaluation counts as timed out; it takes a process of its own to end one.
        address: Of the Ray cluster.
        gpus: Share of a GPU that each worker of a cluster asks for.

    Raises:
        MissingExtraError: Ray is asked for and not installed.
    """
    if not spec.fingerprints or (kind == "local" and workers == 1 and timeout is None):
        yield None
        return
    pool: Pool
    if kind == "ray":
        from evonas.engine.cluster import RayPool

        pool = RayPool(spec, workers, timeout=timeout, address=address, gpus=gpus)
    else:
        pool = ProcessPool(spec, workers, timeout=timeout)
    try:
        yield pool
    finally:
        pool.close()
