"""Graph of a cell: operations, the sources they read, and what the cell puts out."""

from __future__ import annotations

from typing import NamedTuple


class Edge(NamedTuple):
    """One operation of a node and the source it reads: an input of the cell, or an earlier node."""

    operation: str
    source: int


class Cell(NamedTuple):
    """One cell as written.

    Sources and outputs share one numbering: ``0 .. inputs - 1`` are the cell's inputs, node ``i`` is
    ``inputs + i``.
    """

    nodes: tuple[tuple[Edge, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    """One tuple of sources per output of the cell: ``(concat,)``, or ``(sum, concat)`` for two streams."""
