"""Block graph: the ordered graph of a network at the grain of blocks, as data."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from evonas.objectives.cost.trace import Shape, Trace, trace


@dataclass(eq=False)
class Block:
    """A piece of a network and the shapes that it reads, batch of one included; equal blocks cost the same.

    Attributes:
        text: The piece's layers with all their sizes, and the shapes.
        module: The module, in general without values.
        shapes: Shapes of its inputs.
        label: A name for people, such as ``"normal.2.0.sep_conv_3x3"``.
        sort: What it is one of, such as ``"sep_conv_3x3"``, ``"input"`` or ``"add"``.
    """

    text: str
    module: nn.Module
    shapes: tuple[Shape, ...]
    label: str
    sort: str

    @cached_property
    def trace(self) -> Trace:
        """What runs inside, in order."""
        return trace(self.module, self.shapes)

    @cached_property
    def key(self) -> str:
        """What distinguishes blocks, on every machine alike: layers, sizes, shapes and the operations that run."""
        return hashlib.sha256(f"{self.text} {self.trace}".encode()).hexdigest()[:20]


class Add(nn.Module):
    """The sum of two tensors."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Add two tensors of one shape."""
        return a + b


class Concat(nn.Module):
    """Channels of several tensors, one after the other."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Concatenate along the channels."""
        return torch.cat(inputs, dim=1)


class Zeros(nn.Module):
    """A constant: nothing runs, but it takes room."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    def extra_repr(self) -> str:
        """Return the shape."""
        return str(self.shape)

    def forward(self) -> Tensor:
        """Return the zeros."""
        return torch.zeros(self.shape, device="meta")


@dataclass(frozen=True, slots=True)
class GraphStep:
    """A block that runs in a network: what it reads and writes, by number."""

    block: Block
    reads: tuple[int, ...]
    writes: int
    fixed: bool = False
    """Whether no choice touches it."""


@dataclass(slots=True)
class BlockGraph:
    """The steps of a network in the order they run; values are numbered, 0 is the image.

    Attributes:
        steps: Blocks that run; what only passes its input on is left out.
        shapes: Shape of every value.
        output: Number of the network's output.
    """

    steps: list[GraphStep] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    output: int = 0

    @property
    def sizes(self) -> list[int]:
        """Elements of every value."""
        return [math.prod(shape) for shape in self.shapes]
