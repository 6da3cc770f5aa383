"""Primitive operations: the nodes of computation graphs, one object for equal ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

__all__ = ["OPERATIONS", "Primitive", "primitive", "trimmed"]

OPERATIONS = (
    "input", "output", "conv", "depthwise", "conv_transpose", "linear", "matmul", "add", "mul", "sub", "div", "concat",
    "max_pool", "avg_pool", "global_pool", "global_max_pool", "mean", "relu", "relu6", "clip", "sigmoid",
    "hard_sigmoid", "tanh", "hard_swish", "swish", "gelu", "leaky_relu", "elu", "prelu", "softmax", "layer_norm",
    "instance_norm", "group_norm", "transpose", "resize", "slice", "pow", "sqrt", "exp", "erf",
)  # fmt: skip
"""Names of operations that encoders tell apart; others keep their ONNX name, in lower case, and count as one."""
WEIGHTED = frozenset({"conv", "depthwise", "conv_transpose", "linear"})
"""Operations with weights of their own: two of them on one value are never the same."""

Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Primitive:
    """Operation with its sizes, for one image; made by `primitive`, so that equal ones are one object.

    Attributes:
        name: One of `OPERATIONS`, or the ONNX name of another one in lower case.
        source: Shape of its first input without the batch, channels first; ones at the end are left out.
        result: Shape of its output, likewise.
        kernel, stride, dilation: Of convolutions and pooling, one number for each spatial axis.
        groups: Of convolutions.
        detail: What else tells operations of one name apart, such as the axis of a concatenation.
    """

    name: str
    source: Sizes = ()
    result: Sizes = ()
    kernel: Sizes = ()
    stride: Sizes = ()
    dilation: Sizes = ()
    groups: int = 1
    detail: tuple[float, ...] = ()

    @property
    def fields(self) -> tuple[Any, ...]:
        """Values of all attributes in order."""
        return (
            self.name, self.source, self.result, self.kernel, self.stride, self.dilation, self.groups, self.detail,
        )  # fmt: skip

    def __reduce__(self) -> tuple[Any, ...]:
        return primitive, self.fields

    @property
    def weights(self) -> int:
        """Number of weights, biases left out."""
        if self.name == "linear":
            return self.source[-1] * self.result[-1]
        if self.name in WEIGHTED:
            return self.source[0] * self.result[0] // self.groups * math.prod(self.kernel)
        return 0

    @property
    def flops(self) -> int:
        """Multiply-adds of convolutions, linear layers and matrix products; everything else is free."""
        if self.name == "linear":
            return math.prod(self.result) * self.source[-1]
        if self.name == "matmul":
            return math.prod(self.result) * (self.source[-1] if self.source else 1)
        if self.name == "conv_transpose":
            return self.weights * math.prod(self.source[1:])
        return self.weights * math.prod(self.result[1:])


_MADE: dict[tuple[Any, ...], Primitive] = {}


def primitive(
    name: str,
    source: Sizes = (),
    result: Sizes = (),
    kernel: Sizes = (),
    stride: Sizes = (),
    dilation: Sizes = (),
    groups: int = 1,
    detail: tuple[float, ...] = (),
) -> Primitive:
    """Return the primitive with these attributes, always the same object; see `Primitive`."""
    fields = (name, source, result, kernel, stride, dilation, groups, detail)
    found = _MADE.get(fields)
    if found is None:
        numbers = tuple([float(number) for number in detail])  # 1 and 1.0 are equal and have two texts
        found = _MADE[fields] = Primitive(name, source, result, kernel, stride, dilation, groups, numbers)
    return found


def trimmed(shape: Sizes) -> Sizes:
    """Return a shape without ones at the end, as primitives have it: (c, 1, 1) is (c,)."""
    end = len(shape)
    while end > 1 and shape[end - 1] == 1:
        end -= 1
    return shape[:end]
