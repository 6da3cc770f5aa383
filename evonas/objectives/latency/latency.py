"""Latency as an objective: a sum over blocks measured once with onnxruntime, fitted to whole networks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from evonas.errors import EvonasError, SettingsError
from evonas.files.progress import Progress
from evonas.files.whole import write_whole
from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.cost.cache import cache_folder
from evonas.objectives.cost.graph_builder import GraphBuilder
from evonas.objectives.latency.check import Check, check_latency_table, skeleton_of
from evonas.objectives.latency.measure import SECONDS, measure_latency_table, measure_whole
from evonas.objectives.latency.table import FORMAT, LatencyTable
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import Architecture, Candidate, Skeleton, Space

__all__ = [
    "LATENCY",
    "Check",
    "LatencyEvaluator",
    "LatencyTable",
    "check_latency_table",
    "device_latency_table",
    "kept_path",
    "measure_latency_table",
    "measure_whole",
    "read_latency_table",
]

LATENCY = Objective("latency", "ms", "min")
WORST = 0.08
"""Median error of a fit above which a table is not kept for later searches."""


class LatencyEvaluator(Evaluator):
    """Milliseconds of a call of onnxruntime, from a table.

    Args:
        context: Space and skeleton; ``options["latency_table"]`` may name a table's file, else one is measured;
            ``options["resolutions"]`` are the sides that candidates choose among.

    Raises:
        SettingsError: A table that cannot be read, or of another space, skeleton or resolutions.

    Attributes:
        table: The table.
        foreign: In what the table's device, threads and batch differ from how whole networks are measured here, empty
            where in nothing: whoever shows a latency says so.
    """

    objectives = (LATENCY,)
    batch = 1000
    """Architectures that are worth storing in one go."""

    def __init__(self, context: Context) -> None:
        from evonas import runtime

        given, sides = context.options.get("latency_table"), context.options.get("resolutions", ())
        if given:
            self.table = read_latency_table(given)
        else:
            self.table = measure_latency_table(
                context.space, context.skeleton, resolutions=sides, seed=context.seed, threads=context.threads
            )
        measured_on = skeleton_of(self.table, context.space)
        if measured_on != context.skeleton:
            theirs, ours = asdict(measured_on), asdict(context.skeleton)
            differ = ", ".join(
                f"{name} {theirs[name]} there, {ours[name]} here" for name in ours if theirs[name] != ours[name]
            )
            raise SettingsError(f"The latency table is of another skeleton ({differ}): build one for this skeleton")
        if not set(sides) <= set(self.table.resolutions):
            known = ", ".join(map(str, self.table.resolutions)) or str(measured_on.resolution)
            wanted = ",".join(map(str, sides))
            raise SettingsError(
                f"The latency table is of the resolutions {known}, and candidates choose among {wanted}: build one "
                f"with  evonas latency build --resolutions {wanted}"
            )
        self._graphs = GraphBuilder(context.space, context.skeleton)
        # As whole networks of the front are measured here: one image, this search's threads.
        self.foreign = runtime.differences(self.table.device, runtime.device_fingerprint(threads=context.threads))
        self.fingerprint = fingerprint("latency", 2, self.table.to_json())

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return the latency of each architecture in ms."""

        def compute(architecture: Architecture) -> dict[str, float]:
            return {"latency": self.table.latency(self._graphs(architecture))}

        return one_by_one(self.objectives, candidates, compute, sized=bool(self.table.resolutions))


def device_latency_table(
    space: Space,
    skeleton: Skeleton,
    *,
    resolutions: Sequence[int] = (),
    seed: int = 0,
    threads: int = 1,
    left: Callable[[], float] | None = None,
    progress: Progress | None = None,
) -> tuple[LatencyTable, Path | None]:
    """Return this device's table: one that an earlier search measured here, else measured now and kept.

    A table whose fit errs by more than `WORST` is not kept: something else ran meanwhile. Nor is one that was given
    less than the usual seconds: it would stand for the device in searches that have the time.

    Args:
        space, skeleton, resolutions, seed, threads, progress: See `measure_latency_table`.
        left: Gives the seconds that calls may take, once blocks are exported; None: `SECONDS`.

    Returns:
        The table, and the file that it was read from; None where it was measured now.
    """
    path, given = kept_path(space, skeleton, resolutions, threads), SECONDS

    def seconds() -> float:
        nonlocal given
        given = SECONDS if left is None else min(SECONDS, left())
        return given

    with contextlib.suppress(SettingsError):
        return read_latency_table(path), path
    table = measure_latency_table(
        space, skeleton, resolutions=resolutions, seed=seed, threads=threads, seconds=seconds, progress=progress
    )
    if table.error <= WORST and given >= SECONDS:
        with contextlib.suppress(OSError, EvonasError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, table.to_json())
    return table, None


def kept_path(space: Space, skeleton: Skeleton, resolutions: Sequence[int], threads: int) -> Path:
    """Return the file that keeps this device's table, where one was measured.

    Args:
        space, skeleton, resolutions, threads: See `measure_latency_table`.
    """
    from evonas import runtime

    key = fingerprint(
        FORMAT, space.name, space.content, skeleton, runtime.device_fingerprint(threads=threads),
        runtime.session_settings(threads=threads), version("torch"), *map(int, resolutions),
    )  # fmt: skip
    return cache_folder() / f"latency-{key}.json"


def read_latency_table(path: str | Path) -> LatencyTable:
    """Read a table from a file.

    Raises:
        SettingsError: It cannot be read, or is no table.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"Cannot read the latency table {path}: {getattr(error, 'strerror', None) or error}; "
            "build one with  evonas latency build"
        ) from None
    return LatencyTable.from_json(text, str(path))
