"""Architectures: the immutable, hashable meaning of a genome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

Path = tuple[str, ...]
"""The candidates an architecture runs, as ``"decision.option"`` names, in the order of the network."""


class Edge(NamedTuple):
    """One operation of a node and the place it reads: an input of the cell, or an earlier node."""

    operation: str
    source: int


class Cell(NamedTuple):
    """One cell as written.

    Sources and outputs share one numbering: ``0 .. inputs - 1`` are the cell's inputs, node ``i`` is
    ``inputs + i``.
    """

    nodes: tuple[tuple[Edge, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    """One tuple of places per output of the cell: ``(concat,)``, or ``(sum, concat)`` for two streams."""


@dataclass(frozen=True, slots=True)
class CellArchitecture:
    """An architecture of a cell space: one cell of each kind."""

    form: str
    """Text form that `str` writes; a name of `evonas.spaces.text`."""
    kinds: tuple[str, ...]
    cells: tuple[Cell, ...]
    pruned: bool = False
    """Whether dead parts are left out of the network: true for canonical forms, false as written."""

    def __str__(self) -> str:
        from evonas.spaces.text import write

        return write(self)


@dataclass(frozen=True, slots=True)
class StageArchitecture:
    """An architecture of a stage space: one option per block, and how many blocks of a stage run."""

    form: str
    blocks: tuple[tuple[str, ...], ...]
    """Option of every block, stage by stage, those beyond the stage's depth included."""
    depths: tuple[int, ...]
    """Blocks that run, per stage."""
    resolution: int | None = None
    """Side of the input image in pixels where the space chooses it, else None."""
    pruned: bool = False

    def __str__(self) -> str:
        from evonas.spaces.text import write

        return write(self)


Architecture = CellArchitecture | StageArchitecture
