"""Symbolic tensors, without values, on which a network's own forward code notes what it would run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from evonas.errors import EvaluationError
from evonas.networks import Slot
from evonas.objectives.cost.block_graph import Add, Block, BlockGraph, Concat, GraphStep, Zeros
from evonas.objectives.cost.trace import Shape


class SymbolicTensor:
    """A tensor without values: a shape, and a number in the block graph that is being drawn."""

    __slots__ = ("number", "pen", "shape")

    def __init__(self, pen: Pen, shape: Shape, number: int | None = None) -> None:
        self.pen, self.shape = pen, shape
        if number is None:
            number = len(pen.block_graph.shapes)
            pen.block_graph.shapes.append(shape)
        self.number = number

    def __add__(self, other: SymbolicTensor) -> SymbolicTensor:
        return self.pen.glue(Add, (self, other))

    def new_zeros(self, *shape: int) -> SymbolicTensor:
        """Return a constant."""
        return self.pen.note(self.pen.known(Zeros(shape), (), "zeros", "zeros"), ())

    def flatten(self, start: int) -> SymbolicTensor:
        """Return the same values as rows."""
        return SymbolicTensor(self.pen, (*self.shape[:start], math.prod(self.shape[start:])), self.number)

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> SymbolicTensor:
        if function is torch.cat and (kwargs or {}).get("dim") == 1:
            joined: SymbolicTensor = args[0][0].pen.glue(Concat, args[0])
            return joined
        raise EvaluationError(
            f"expected a network that joins its blocks by +, torch.cat(…, dim=1) and flatten, got "
            f"{function.__name__}: put it into a module of its own"
        )


class Pen:
    """Notes steps in the block graph that is being drawn, and keeps all blocks met."""

    def __init__(self) -> None:
        self.block_graph = BlockGraph()
        self.blocks: dict[str, Block] = {}
        self._glue: dict[tuple[type[nn.Module], tuple[Shape, ...]], Block] = {}

    def note(self, block: Block, inputs: Sequence[SymbolicTensor], fixed: bool = False) -> SymbolicTensor:
        """Note that a block runs, and return what comes out."""
        result = SymbolicTensor(self, block.trace.output)
        self.block_graph.steps.append(GraphStep(block, tuple([value.number for value in inputs]), result.number, fixed))
        return result

    def glue(self, kind: type[nn.Module], inputs: Sequence[SymbolicTensor]) -> SymbolicTensor:
        """Note what joins blocks."""
        shapes = tuple([value.shape for value in inputs])
        block = self._glue.get((kind, shapes))
        if block is None:
            name = kind.__name__.lower()
            block = self._glue[kind, shapes] = self.known(kind(), shapes, name, name)
        return self.note(block, inputs)

    def known(self, module: nn.Module, shapes: tuple[Shape, ...], label: str, sort: str) -> Block:
        """Return the block of a module: the one met before where an equal one was."""
        text = f"{module} {shapes}"
        return self.blocks.setdefault(text, Block(text, module, shapes, label, sort))


class Hollow(nn.Module):
    """Stands where a block would run."""

    def __init__(self, pen: Pen, module: nn.Module, slot: Slot | None, name: str) -> None:
        super().__init__()
        self._pen, self._slot = pen, slot
        self._label = name if slot is None else f"{slot.decision}.{name}"
        self._sort = name if slot is None else slot.sort(name)
        self._module = (module,)  # not a child: a walk over modules is to find nothing here
        self._made: dict[tuple[Shape, tuple[int, ...]], Block] = {}

    def __call__(self, x: SymbolicTensor, *parts: int) -> SymbolicTensor:
        """Note that the block runs, unless it only passes its input on."""
        block = self._made.get((x.shape, parts)) or self._make(x.shape, parts)
        self._seen = x.shape
        return x if block.trace.passes else self._pen.note(block, (x,), self._slot is None)

    def option(self, option: str) -> Block:
        """Return the block of an option, at the shape seen last."""
        assert self._slot is not None
        shape, parts = self._slot.input_shape(option, self._seen), self._slot.arguments(option)
        return self._made.get((shape, parts)) or self._make(shape, parts)

    def _make(self, shape: Shape, parts: tuple[int, ...]) -> Block:
        (module,) = self._module
        if self._slot is not None:
            with torch.device("meta"):
                module = self._slot.plain(module, shape, parts)
        block = self._made[shape, parts] = self._pen.known(module.eval(), (shape,), self._label, self._sort)
        return block


def hollow(module: nn.Module, pen: Pen) -> None:
    """Replace the blocks by hollow ones: slots' candidates, and the largest modules that hold no slot."""
    for name, child in list(module.named_children()):
        lists = isinstance(child, nn.ModuleList | nn.ModuleDict)
        if not isinstance(module, Slot) and (lists or any(isinstance(part, Slot) for part in child.modules())):
            hollow(child, pen)
        elif isinstance(module, Slot):
            module[name] = Hollow(pen, child, module, name)
        else:
            setattr(module, name, Hollow(pen, child, None, name))
