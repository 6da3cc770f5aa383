"""Measuring latency tables, and how far they are from whole networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas.errors import SettingsError
from evonas.files.progress import Progress, Silent
from evonas.objectives.cost.assemble import assemble, export_block, heads_of, nothing
from evonas.objectives.cost.block_graph import Block, BlockGraph
from evonas.objectives.cost.graph_builder import GraphBuilder, all_blocks, draw
from evonas.objectives.latency.table import LatencyTable, fit_sums, tally
from evonas.spaces import Architecture, Skeleton, Space

if TYPE_CHECKING:
    from onnx import ModelProto

    from evonas.runtime import Timing

CALIBRATION = 40
"""Whole networks that the fit is made on, 20 or more."""
CPU = "CPUExecutionProvider"
"""Of onnxruntime: what blocks run on unless another provider is asked for."""
REPEATS, SECONDS = 300, 60.0
"""Calls of each model, and the seconds after which no further round begins."""


def measure_latency_table(
    space: Space,
    skeleton: Skeleton,
    *,
    resolutions: Sequence[int] = (),
    seed: int = 0,
    threads: int = 1,
    batch: int = 1,
    provider: str = CPU,
    networks: int = CALIBRATION,
    repeats: int = REPEATS,
    seconds: float | Callable[[], float] = SECONDS,
    progress: Progress | None = None,
) -> LatencyTable:
    """Measure every distinct block once, among whole networks, and fit the sums to these.

    Nothing else should run meanwhile. Blocks and networks take turns, so that a disturbance meets all alike.

    Args:
        space: The space.
        skeleton: The skeleton.
        resolutions: Sides that candidates choose among, the fit being on networks of all; none: the skeleton's.
        seed: Of the architectures that the fit is made on.
        threads: Threads of onnxruntime.
        batch: Images per call; the latency is that of the call.
        provider: Execution provider of onnxruntime.
        networks: Whole networks to fit to, 20 or more.
        repeats: Timed calls of each block and network.
        seconds: Begin no further round after that time; a function is asked for it once all blocks are exported.
        progress: Shows how far it is.

    Raises:
        ExportError: A block cannot be exported; it is named, with the exporter's cause.
        SettingsError: Fewer than 20 networks, or a provider that this onnxruntime does not have.
    """
    from evonas import runtime

    if networks < 20:
        raise SettingsError(f"Expected 20 networks or more to fit a latency table to, got {networks}")
    graphs = GraphBuilder(space, skeleton)
    drawn = [graphs(architecture) for architecture in draw(space, networks, [seed, 20], resolutions)]
    blocks = all_blocks(graphs, resolutions)
    models = export_all(blocks, batch, progress or Silent())
    heads = {key: heads_of(models[key], blocks[key]) for key in blocks}
    single = {head: model for found in heads.values() for head, model in found.items()}
    with (progress or Silent()).task("Measuring blocks and whole networks", 1) as task:
        measured = runtime.measure_models(
            [
                *models.values(),
                *single.values(),
                nothing(batch),
                *(assemble(block_graph, models, batch=batch) for block_graph in drawn),
            ],
            threads=threads,
            batch=batch,
            repeats=repeats,
            seconds=seconds() if callable(seconds) else seconds,
            providers=[provider],
        )
        task.advance(1)
    return table_of(
        graphs,
        drawn,
        dict(zip([*models, *single], measured[: len(models) + len(single)], strict=True)),
        {key: list(found) for key, found in heads.items()},
        measured[len(models) + len(single)],
        measured[len(models) + len(single) + 1 :],
        resolutions=resolutions,
        device=dict(runtime.device_fingerprint(threads=threads, batch=batch, provider=provider)),
        session=dict(runtime.session_settings(threads=threads, providers=[provider])),
    )


def table_of(
    graphs: GraphBuilder,
    drawn: Sequence[BlockGraph],
    times: Mapping[str, Timing],
    heads: Mapping[str, Sequence[str]],
    call: Timing,
    whole: Sequence[Timing],
    *,
    resolutions: Sequence[int] = (),
    device: dict[str, Any],
    session: dict[str, Any],
) -> LatencyTable:
    """Table of measured times, its sums fitted to whole networks.

    Args:
        graphs: Builder of block graphs of space and skeleton, which knows the blocks that times are of.
        drawn: Block graphs of the whole networks.
        times: Of blocks by key, and of the operations that they begin with.
        heads: Key of a block to the names of the operations that it begins with.
        call: Of a model that does nothing.
        whole: Of the whole networks, in order.
        resolutions: Sides that blocks and networks are of, beside or instead of the skeleton's.
        device: Fingerprint of the device.
        session: Options of the onnxruntime session.
    """
    floor = call.minimum_ms
    table = {
        block.key: {
            "label": block.label,
            "ms": max(0.0, times[block.key].minimum_ms - floor),
            "median_ms": times[block.key].median_ms,
            "mad_ms": times[block.key].mad_ms,
        }
        for block in graphs.blocks
        if block.key in times
    }
    spent = {
        key: [(head, max(0.0, times[head].minimum_ms - floor)) for head in found]
        for key, found in heads.items()
        if found
    }
    tallies = [tally(block_graph, table, spent) for block_graph in drawn]
    # Blocks by their shortest call, which drifts least; networks by what a user will see, the median.
    target = np.array([timing.median_ms for timing in whole])
    fit, error = fit_sums([sums for sums, _ in tallies], [nodes for _, nodes in tallies], target)
    return LatencyTable(
        space=graphs.space.name,
        skeleton={name: list(v) if isinstance(v, tuple) else v for name, v in asdict(graphs.skeleton).items()},
        device=device,
        session=session,
        blocks=table,
        heads=spent,
        fit=fit,
        calibration=len(drawn),
        error=error,
        floor_ms=floor,
        noise_ms=float(np.median([timing.mad_ms for timing in whole])),
        resolutions=list(resolutions),
    )


def measure_whole(
    space: Space,
    skeleton: Skeleton,
    architectures: Sequence[Architecture],
    *,
    threads: int = 1,
    batch: int = 1,
    seconds: float | None = None,
) -> list[Timing]:
    """Measure whole networks side by side, exported as they are; returns a `runtime.Timing` for each.

    Args:
        space, skeleton: What the networks are built of.
        architectures: The networks.
        threads, batch: Of the calls.
        seconds: Bound on the calls, as `runtime.measure` takes it; exporting is not counted.
    """
    import torch

    from evonas import runtime
    from evonas.networks import build

    generator = torch.Generator().manual_seed(0)
    pairs = []
    for architecture in architectures:
        network = build(space, skeleton, architecture).eval()
        pairs.append((network, (torch.randn((1, *network.skeleton.shape), generator=generator),)))
    return runtime.measure_modules(pairs, threads=threads, batch=batch, seconds=seconds)


def export_all(blocks: Mapping[str, Block], batch: int, progress: Progress) -> dict[str, ModelProto]:
    """Return the ONNX model of each block, by key."""
    models = {}
    with progress.task("Exporting blocks", len(blocks)) as task:
        for key, block in blocks.items():
            models[key] = export_block(block, batch=batch)
            task.advance(1)
    return models
