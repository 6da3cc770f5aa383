"""Pictures: what is to be seen of an architecture, as plain data that a report draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class PicturedOperation(NamedTuple):
    """Operation of a node of a cell."""

    name: str
    source: int
    """Index of what it reads: an input of the cell, or a node, which are numbered on."""
    style: str
    """``conv``, ``dilated``, ``pool``, ``skip``, or ``idle`` for what puts out zero."""


@dataclass(frozen=True)
class CellPicture:
    """A cell as a graph.

    Attributes:
        kind: Kind of the cell, such as ``normal``; ``cell`` where there is one kind.
        inputs: What each input is.
        nodes: Operations of each node.
        outputs: Name and sources of each output.
        live: Sources that an output depends on.
        pruned: Whether dead parts are left out of the network.
    """

    kind: str
    inputs: tuple[str, ...]
    nodes: tuple[tuple[PicturedOperation, ...], ...]
    outputs: tuple[tuple[str, tuple[int, ...]], ...]
    live: frozenset[int]
    pruned: bool

    def source_name(self, source: int) -> str:
        """Return what an input or a node is called."""
        return self.inputs[source] if source < len(self.inputs) else f"node {source - len(self.inputs)}"


class PicturedBlock(NamedTuple):
    """Block of a stage."""

    name: str
    runs: bool
    kernel: int = 0
    """Side of the kernel; 0: the block is the identity."""
    expand: int = 0
    groups: int = 1
    gated: bool = False
    """Whether it carries squeeze-and-excitation of its own."""


class PicturedStage(NamedTuple):
    """Stage of blocks."""

    channels: int
    stride: int
    gated: bool
    """Whether blocks carry squeeze-and-excitation."""
    blocks: tuple[PicturedBlock, ...]


@dataclass(frozen=True)
class ChainPicture:
    """A network as a stem, stages of blocks and a head.

    Attributes:
        channels: Channels of the stem.
        kernel: Side of the stem's kernel.
        stride: Stride of the stem.
        stages: The stages.
        features: Channels of the head's convolution.
        hidden: Width of the head's hidden layer; 0: none.
        width: What all channels are multiplied by.
        resolution: Side of the image where the architecture chooses it.
    """

    channels: int
    kernel: int
    stride: int
    stages: tuple[PicturedStage, ...]
    features: int
    hidden: int
    width: float
    resolution: int | None


Picture = tuple[CellPicture, ...] | ChainPicture
"""One graph per kind of cell, or a chain."""
