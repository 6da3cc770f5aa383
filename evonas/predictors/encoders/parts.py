"""Parts of an architecture, in groups of tokens, read off its structure alone, whatever its space."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from evonas.predictors.encoders.tokens import Tokens
from evonas.spaces import Architecture, CellArchitecture, CellSpace, Space, StageArchitecture

__all__ = ["token_groups"]

MOST_PATHS = 200
"""Ways through a cell that are counted per node; the shipped spaces have fewer."""


def token_groups(space: Space, architecture: Architecture) -> Mapping[str, Tokens]:
    """Return the parts of an architecture in groups.

    Args:
        space: Its space.
        architecture: A canonical one, so that equal networks are described alike.

    Returns:
        ``genes``: its genome, one-hot. Cells have besides ``paths``: the ways from an input to an output as
        sequences of operations, those that pass everything on left out (White et al., BANANAS, AAAI 2021);
        and ``parts``: operations, alone and with what they read (Weisfeiler and Lehman's relabeling, as Ru et
        al., NAS-BOWL, ICLR 2021). Chains of blocks have ``parts``: options and pairs of neighbors by stage.
    """
    groups: dict[str, Tokens] = {
        "genes": {f"{place}={gene}": 1.0 for place, gene in enumerate(space.encode(architecture).tolist())}
    }
    if isinstance(architecture, CellArchitecture) and isinstance(space, CellSpace):
        groups |= _cells(space, architecture)
    elif isinstance(architecture, StageArchitecture):
        groups["parts"] = _stages(architecture)
    return groups


def _cells(space: CellSpace, architecture: CellArchitecture) -> dict[str, Tokens]:
    kinds = {name: table.kind for name, table in space.definition.operations.items()}
    paths: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    for name, cell in zip(architecture.kinds, architecture.cells, strict=True):
        ways: list[list[tuple[str, ...]]] = [[()] for _ in range(space.inputs)]
        labels = ["in"] * space.inputs
        for edges in cell.nodes:
            live = [edge for edge in edges if kinds[edge.operation] != "none"]
            found: list[tuple[str, ...]] = []
            for operation, source in live:
                step = () if kinds[operation] == "skip" else (operation,)
                found += [(*way, *step) for way in ways[source]]
                parts[f"{name}:{operation}"] += 1
                parts[f"{name}:{operation}<{labels[source]}"] += 1
            ways.append(found[:MOST_PATHS])
            labels.append("+".join(sorted(edge.operation for edge in live)))
        for place in sorted({place for places in cell.outputs for place in places}):
            parts[f"{name}:out<{labels[place]}"] += 1
            for way in ways[place]:
                paths[f"{name}:{'>'.join(way)}"] += 1
                paths[f"{name}:length {len(way)}"] += 1
    return {"paths": paths, "parts": parts}


def _stages(architecture: StageArchitecture) -> Tokens:
    parts: Counter[str] = Counter()
    for stage, (blocks, depth) in enumerate(zip(architecture.blocks, architecture.depths, strict=True)):
        parts[f"{stage}:depth"] = depth
        for before, option in zip(("", *blocks), blocks[:depth], strict=False):
            parts[option] += 1
            parts[f"{stage}:{option}"] += 1
            parts[f"{stage}:{before}>{option}"] += 1
    return parts
