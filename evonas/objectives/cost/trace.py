"""Trace of a block: its operations in order, read off without values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Shape = tuple[int, ...]

NORMS = frozenset({"native_batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"})
CONSTANTS = frozenset({"zeros", "new_zeros"})
ACTIVATIONS = (
    "relu", "hardtanh", "hardswish", "hardsigmoid", "silu", "gelu", "sigmoid", "tanh", "elu", "leaky_relu", "clamp",
)  # fmt: skip
BY_VALUE = NORMS | {name + mark for name in (*ACTIVATIONS, "add", "mul") for mark in ("", "_")}
"""Operations on each value by itself: the result may overwrite an input that nothing reads later."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        name: Torch's name of it.
        reads: Numbers of the values read, those only that depend on an input; a view is its tensor.
        writes: Number of the value written.
        size: Elements of that value.
    """

    name: str
    reads: tuple[int, ...]
    writes: int
    size: int


@dataclass(frozen=True)
class Trace:
    """The operations of a module in the order they run.

    Attributes:
        inputs: Elements of each input; these are values 0, 1, ….
        operations: What runs and depends on an input; views, and work on weights alone, are left out.
        result: Number of the value that comes out.
        output: Its shape.
    """

    inputs: tuple[int, ...]
    operations: tuple[Operation, ...]
    result: int
    output: Shape

    @property
    def passes(self) -> bool:
        """Whether the input itself is what comes out."""
        return not self.operations

    @property
    def nodes(self) -> int:
        """Operations that a deployed graph launches: norms fold into convolutions."""
        return sum(operation.name not in NORMS | CONSTANTS for operation in self.operations)

    def __str__(self) -> str:
        return " ".join(f"{operation.name}{list(operation.reads)}" for operation in self.operations)


@torch.no_grad()
def trace(module: nn.Module, shapes: Sequence[Shape]) -> Trace:
    """Return what a module runs on inputs of these shapes, in evaluation mode.

    Args:
        module: A module, with values or without (on the device ``meta``).
        shapes: Shapes of its inputs.
    """
    sizes = tuple(math.prod(shape) for shape in shapes)
    if isinstance(module, nn.Identity):
        return Trace(sizes, (), 0, tuple(shapes[0]))
    device = next((tensor.device for tensor in (*module.parameters(), *module.buffers())), torch.device("meta"))
    inputs = [torch.empty(shape, device=device) for shape in shapes]
    with _Recorder(inputs) as recorder:
        output = module.eval()(*inputs)
    return Trace(sizes, tuple(recorder.operations), recorder.numbers[_storage(output)], tuple(output.shape))


class _Recorder(TorchDispatchMode):
    """Notes the operations that depend on given tensors."""

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # untyped in torch
        self.numbers = {_storage(tensor): number for number, tensor in enumerate(inputs)}
        self.operations: list[Operation] = []
        self._kept: list[Any] = list(inputs)  # so that no address is used twice
        self._count = len(inputs)

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        read = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor) and _storage(t) in self.numbers]
        written = next((t for t in tree_leaves(result) if isinstance(t, Tensor)), None)
        name = func._schema.name.partition("::")[2]
        if written is None or not (read or name in CONSTANTS):
            return result
        self._kept.append(result)
        if _storage(written) in self.numbers and not func._schema.is_mutable:
            return result  # a view
        reads = () if name in CONSTANTS else tuple(dict.fromkeys(self.numbers[_storage(tensor)] for tensor in read))
        self.numbers[_storage(written)] = self._count
        self.operations.append(Operation(name, reads, self._count, written.numel()))
        self._count += 1
        return result


def _storage(tensor: Tensor) -> int:
    address: int = tensor.untyped_storage()._cdata
    return address
