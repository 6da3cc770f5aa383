"""From continuous architecture weights to an architecture of a space with two streams.

References:
    .. [Chao2023] Chao et al.: Rethink DARTS Search Space and Renovate a New Benchmark, ICML 2023,
       arXiv 2306.06852.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from evonas.errors import SpaceError
from evonas.spaces.architecture import CellArchitecture
from evonas.spaces.cell import CellSpace
from evonas.spaces.graph import Cell, Edge


class CellWeights(NamedTuple):
    """Weights that a differentiable search has found for one kind of cell."""

    operations: ArrayLike
    """Weights of the (source, operation) pairs, node by node: shape ``(sources of all nodes, n_operations)``."""
    outputs: ArrayLike
    """Weights of the nodes in the sum and in the concatenation: shape ``(2, nodes)``."""


def discretize(
    space: CellSpace, weights: Sequence[CellWeights], *, most: int | None = None, above: float = 0.2
) -> CellArchitecture:
    """Keep a node's heaviest pairs, as many as the space keeps, and the outputs that carry weight.

    Args:
        space: Joint wiring and learned outputs.
        weights: One for each kind of cell, in the space's order.
        most: Output nodes of either stream: the heaviest; None: those of the sum that weigh more than
            `above`, and those of the concatenation that weigh more than their mean.
        above: See `most`.

    Returns:
        The architecture, as written: with nodes that reach no output.

    Raises:
        SpaceError: A space of another kind, or weights of another shape.
    """
    cell = space.definition.cell
    if cell.wiring != "joint" or cell.outputs != "learned":
        raise SpaceError(f"Expected a space of joint wiring and learned outputs, got '{space.name}'")
    if len(weights) != len(space.kinds):
        raise SpaceError(f"Expected weights for {', '.join(space.kinds)}, got {len(weights)}")
    cells = []
    for kind, (operations, outputs) in zip(space.kinds, weights, strict=True):
        rows = cell.nodes * cell.inputs + cell.nodes * (cell.nodes - 1) // 2
        pairs = _checked(operations, (rows, len(space.operations)), f"{kind} operations")
        streams = _checked(outputs, (2, cell.nodes), f"{kind} outputs")
        nodes, start = [], 0
        for sources in range(cell.inputs, cell.inputs + cell.nodes):
            heaviest = _heaviest(pairs[start : start + sources].ravel(), cell.kept)
            start += sources
            numbers = (divmod(number, len(space.operations)) for number in heaviest)
            nodes.append(tuple(Edge(space.operations[operation], source) for source, operation in numbers))
        limits = (above, streams[1].mean())
        counts = [most or max(1, int((w > limit).sum())) for w, limit in zip(streams, limits, strict=True)]
        chosen = (_heaviest(w, count) for w, count in zip(streams, counts, strict=True))
        cells.append(Cell(tuple(nodes), tuple(tuple(node + cell.inputs for node in c) for c in chosen)))
    architecture = CellArchitecture(space.definition.form, space.kinds, tuple(cells))
    return space.decode(space.encode(architecture))


def _checked(values: ArrayLike, shape: tuple[int, ...], name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.shape != shape or not np.isfinite(array).all():
        raise SpaceError(f"Expected finite weights of shape {shape} for the {name}, got shape {array.shape}")
    return array


def _heaviest(weights: np.ndarray, count: int) -> list[int]:
    return [int(i) for i in np.sort(np.argsort(-weights, kind="stable")[:count])]
