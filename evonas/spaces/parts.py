"""Parts of architectures, counted: what predictors learn from, read off the structure alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from evonas.spaces.architecture import CellArchitecture, StageArchitecture

MOST_WAYS = 200
"""Ways through a cell that are counted per node; the shipped spaces have fewer."""


def count_cell_parts(
    architecture: CellArchitecture, inputs: int, kinds: Mapping[str, str]
) -> dict[str, Mapping[str, float]]:
    """Return the ways through the cells and the parts of their nodes.

    Args:
        architecture: The architecture.
        inputs: Inputs of a cell.
        kinds: Kind of each operation, such as ``none`` and ``skip``.

    Returns:
        ``paths``: the ways from an input to an output as sequences of operations, those that pass everything on
        left out (White et al., BANANAS, AAAI 2021). ``parts``: operations, alone and with what they read
        (Weisfeiler and Lehman's relabeling, as Ru et al., NAS-BOWL, ICLR 2021).
    """
    paths: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    for name, cell in zip(architecture.kinds, architecture.cells, strict=True):
        ways: list[list[tuple[str, ...]]] = [[()] for _ in range(inputs)]
        labels = ["in"] * inputs
        for edges in cell.nodes:
            live = [edge for edge in edges if kinds[edge.operation] != "none"]
            found: list[tuple[str, ...]] = []
            for operation, source in live:
                step = () if kinds[operation] == "skip" else (operation,)
                found += [(*way, *step) for way in ways[source]]
                parts[f"{name}:{operation}"] += 1
                parts[f"{name}:{operation}<{labels[source]}"] += 1
            ways.append(found[:MOST_WAYS])
            labels.append("+".join(sorted(edge.operation for edge in live)))
        for source in sorted({source for sources in cell.outputs for source in sources}):
            parts[f"{name}:out<{labels[source]}"] += 1
            for way in ways[source]:
                paths[f"{name}:{'>'.join(way)}"] += 1
                paths[f"{name}:length {len(way)}"] += 1
    return {"paths": paths, "parts": parts}


def count_stage_parts(architecture: StageArchitecture) -> dict[str, Mapping[str, float]]:
    """Return the ``parts`` of a chain of blocks: options, and pairs of neighbors by stage."""
    parts: Counter[str] = Counter()
    for stage, (blocks, depth) in enumerate(zip(architecture.blocks, architecture.depths, strict=True)):
        parts[f"{stage}:depth"] = depth
        running = blocks[:depth]
        for before, option in zip(("", *running)[:depth], running, strict=True):
            parts[option] += 1
            parts[f"{stage}:{option}"] += 1
            parts[f"{stage}:{before}>{option}"] += 1
    return {"parts": parts}
