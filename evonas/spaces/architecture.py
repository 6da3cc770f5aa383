"""Architectures: the immutable, hashable meaning of a genome."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Self

from evonas.spaces.graph import Cell
from evonas.spaces.written import write_cells, write_stages


class Architecture(ABC):
    """Architecture, as those of every family are: their text is the store's key."""

    __slots__ = ()

    @abstractmethod
    def __str__(self) -> str:
        """Return the text form, which the space's `parse` reads."""

    @property
    def resolution(self) -> int | None:
        """Side of the input image in pixels where the space chooses it; None: the skeleton's holds."""
        return None

    def without_resolution(self) -> Self:
        """Return the same architecture at whatever resolution a skeleton has."""
        return self


@dataclass(frozen=True, slots=True)
class CellArchitecture(Architecture):
    """An architecture of a cell space: one cell of each kind."""

    form: str
    """Text form that `str` writes; a name of `evonas.spaces.text`."""
    kinds: tuple[str, ...]
    cells: tuple[Cell, ...]
    pruned: bool = False
    """Whether dead parts are left out of the network: true for canonical forms, false as written."""

    def __str__(self) -> str:
        return write_cells(self.form, self.kinds, self.cells)


@dataclass(frozen=True, slots=True)
class StageArchitecture(Architecture):
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
        return write_stages(self.form, self.blocks, self.depths, self.resolution)

    def without_resolution(self) -> StageArchitecture:
        """Return the same architecture at whatever resolution a skeleton has."""
        return replace(self, resolution=None)
