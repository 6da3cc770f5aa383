"""Error of a latency table on whole networks that it was not fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas.errors import SettingsError
from evonas.files.progress import Progress, Silent
from evonas.objectives.cost.assemble import assemble
from evonas.objectives.cost.graph_builder import GraphBuilder, draw
from evonas.objectives.latency.measure import CPU, REPEATS, SECONDS, export_all
from evonas.objectives.latency.table import LatencyTable
from evonas.pareto.correlation import spearman
from evonas.spaces import Architecture, Skeleton, Space

if TYPE_CHECKING:
    from evonas.runtime import Timing


@dataclass(frozen=True)
class Check:
    """Error of a table on whole networks that it was not fitted to.

    Attributes:
        networks: How many.
        spearman: Rank correlation of table and measurement.
        spearman_repeated: That of two measurements of the same networks: what a perfect table could reach.
        median_error: Median absolute error of the table, relative.
        median_error_repeated: That between the two measurements.
        within_10_percent: Share of networks with an error of at most 10 %.
        device: Fingerprint of the device that measured.
        differs: In what this device differs from the table's, empty where in nothing.
        rows: Per network: architecture, table, measured and measured_again (medians), minimum_ms, mad_ms, in
            milliseconds.
    """

    networks: int
    spearman: float
    spearman_repeated: float
    median_error: float
    median_error_repeated: float
    within_10_percent: float
    device: dict[str, Any]
    differs: list[str]
    rows: list[dict[str, Any]]


def check_latency_table(
    table: LatencyTable,
    space: Space,
    *,
    networks: int = 50,
    seed: int = 1,
    repeats: int = REPEATS,
    seconds: float = SECONDS,
    progress: Progress | None = None,
) -> Check:
    """Measure whole networks that the table was not fitted to, each twice, and compare.

    Args:
        table: A table of this space, measured here or elsewhere.
        space: The space.
        networks: How many.
        seed: Of the architectures; another than the table's fit.
        repeats: Timed calls of each.
        seconds: Begin no further round after that time.
        progress: Shows how far it is.

    Raises:
        SettingsError: A table of another space, of a provider that this onnxruntime does not have, or fewer than
            two networks.
    """
    from evonas import runtime

    skeleton = skeleton_of(table, space)
    if networks < 2:
        raise SettingsError(f"Expected 2 networks or more to check a latency table on, got {networks}")
    threads, batch = int(table.device.get("threads", 1)), int(table.device.get("batch", 1))
    provider = str(table.device.get("provider", CPU))
    graphs = GraphBuilder(space, skeleton)
    architectures = draw(space, networks, [seed, 21], table.resolutions)
    drawn = [graphs(architecture) for architecture in architectures]
    predicted = np.array([table.latency(block_graph) for block_graph in drawn])
    blocks = {step.block.key: step.block for block_graph in drawn for step in block_graph.steps if step.reads}
    models = export_all(blocks, batch, progress or Silent())
    whole = [assemble(block_graph, models, batch=batch) for block_graph in drawn]
    timings = runtime.measure_models(
        [*whole, *whole], threads=threads, batch=batch, repeats=repeats, seconds=seconds, providers=[provider]
    )
    first, second = timings[: len(whole)], timings[len(whole) :]
    truth, again = (np.array([timing.median_ms for timing in part]) for part in (first, second))
    errors = np.abs(predicted / truth - 1.0)
    here = runtime.device_fingerprint(threads=threads, batch=batch, provider=provider)
    return Check(
        networks=len(whole),
        spearman=spearman(predicted, truth),
        spearman_repeated=spearman(again, truth),
        median_error=float(np.median(errors)),
        median_error_repeated=float(np.median(np.abs(again / truth - 1.0))),
        within_10_percent=float(np.mean(errors <= 0.1)),
        device=dict(here),
        differs=runtime.differences(table.device, here),
        rows=[
            _row(architecture, float(guess), a, b)
            for architecture, guess, a, b in zip(architectures, predicted, first, second, strict=True)
        ],
    )


def skeleton_of(table: LatencyTable, space: Space) -> Skeleton:
    """Return the skeleton that a table was measured on.

    Raises:
        SettingsError: The table is of another space, or its skeleton cannot be read.
    """
    if table.space != space.name:
        raise SettingsError(f"The latency table is of space '{table.space}', this is '{space.name}': build another")
    try:
        fields: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in table.skeleton.items()}
        return Skeleton(**fields)
    except TypeError as error:
        raise SettingsError(f"The latency table's skeleton cannot be read: {error}; build it again") from None


def _row(architecture: Architecture, predicted: float, first: Timing, second: Timing) -> dict[str, Any]:
    return {
        "architecture": str(architecture),
        "table": predicted,
        "measured": first.median_ms,
        "measured_again": second.median_ms,
        "minimum_ms": first.minimum_ms,
        "mad_ms": first.mad_ms,
    }
