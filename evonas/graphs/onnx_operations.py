"""ONNX operators as primitive operations: one function for each kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evonas.graphs.normalizer import GraphNormalizer
from evonas.graphs.onnx_values import Values
from evonas.graphs.primitive import primitive

if TYPE_CHECKING:
    import onnx

__all__ = ["HANDLERS", "VIEWS", "add_plain"]

VIEWS = frozenset(
    {
        "Identity", "Dropout", "Cast", "CastLike", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "BatchNormalization",
        "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Expand", "Constant",
    }
)  # fmt: skip
"""Operators that compute nothing of their own: they move no values, or fold into what is beside them."""
_LARGE = 3e38
_SPATIAL = [2, 3]

Handler = Callable[[GraphNormalizer, Values, "onnx.NodeProto", str, str], int | None]
"""Adds the node of an operator's output and returns its number; None: the value passes through unchanged."""


def add_plain(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    """Add an operation that needs no more than its name and shapes."""
    return _add(builder, values, node, output, who, _name(node.op_type))


def _add(
    builder: GraphNormalizer,
    values: Values,
    node: onnx.NodeProto,
    output: str,
    who: str,
    name: str,
    **fields: Any,
) -> int:
    dynamic = _dynamic(values, node)
    result = values.shape(output, who)
    source = result if name in ("add", "mul", "sub", "div") else values.shape(dynamic[0], who)
    made = primitive(name, source, result, **fields)
    return builder.add(made, tuple([values.nodes[value] for value in dynamic]))


def _dynamic(values: Values, node: onnx.NodeProto) -> list[str]:
    """Return what a node reads of what is computed from the network's inputs."""
    return [value for value in node.input if value in values.nodes]


def _reads(values: Values, node: onnx.NodeProto) -> tuple[int, ...]:
    return tuple([values.nodes[value] for value in _dynamic(values, node)])


def _name(operator: str) -> str:
    """Return an operator's name in words: ``HardSwish`` is ``hard_swish``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operator).lower()


def _attribute(node: onnx.NodeProto, name: str, default: Any = None) -> Any:
    from onnx import helper

    return next((helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def _list(values: Values, node: onnx.NodeProto, position: int, name: str) -> list[int] | None:
    """Return whole numbers that newer operator sets take as an input and older ones as an attribute."""
    if len(node.input) > position and node.input[position]:
        found = values.number(node.input[position])
        return None if found is None else [int(one) for one in found.ravel()]
    held = _attribute(node, name)
    return None if held is None else [int(one) for one in held]


def _convolution(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    weight = values.whole(node.input[1], who)
    groups = int(_attribute(node, "group", 1))
    axes = len(weight) - 2
    kernel = tuple(weight[2:])
    stride = tuple(int(one) for one in _attribute(node, "strides", [1] * axes))
    dilation = tuple(int(one) for one in _attribute(node, "dilations", [1] * axes))
    source, result = values.shape(node.input[0], who), values.shape(output, who)
    if node.op_type == "ConvTranspose":
        name = "conv_transpose"
    elif groups == source[0] == result[0] and groups > 1:
        fixed = node.input[1] not in values.nodes
        if fixed and set(kernel) | set(stride) == {1} and source == result:
            return None  # scale and shift by channel, as which an exporter may write a norm
        name = "depthwise"
    else:
        name = "conv"
    made = primitive(name, source, result, kernel, stride, dilation, groups)
    return builder.add(made, _reads(values, node))


def _quantized(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    """Add a convolution or a linear layer between whose operands scales and zero points stand."""
    from onnx import NodeProto

    bare = NodeProto(op_type=node.op_type.removeprefix("QLinear"), output=node.output)
    bare.input.extend([node.input[place] for place in (0, 3, 8) if place < len(node.input)][:3])
    bare.attribute.extend(node.attribute)
    return (_convolution if bare.op_type == "Conv" else _linear)(builder, values, bare, output, who)


def _pooling(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    source, result = values.shape(node.input[0], who), values.shape(output, who)
    name = "max_pool" if node.op_type == "MaxPool" else "avg_pool"
    kernel = tuple(int(one) for one in _attribute(node, "kernel_shape"))
    stride = tuple(int(one) for one in _attribute(node, "strides", [1] * len(kernel)))
    dilation = tuple(int(one) for one in _attribute(node, "dilations", [1] * len(kernel)))
    if kernel == source[1:] and len(result) == 1 and not any(_attribute(node, "pads", ())):
        return _global(builder, values, node, output, who, "global_pool" if name == "avg_pool" else "global_max_pool")
    return _add(builder, values, node, output, who, name, kernel=kernel, stride=stride, dilation=dilation)


def _global(
    builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str, name: str = ""
) -> int | None:
    if not name:
        name = "global_pool" if "Average" in node.op_type else "global_max_pool"
    if len(values.shape(node.input[0], who)) == 1:
        return None  # there is one pixel
    return _add(builder, values, node, output, who, name)


def _reduction(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    rank = len(values.whole(node.input[0], who))
    axes = _list(values, node, 1, "axes")
    found = sorted(axis % rank for axis in axes) if axes else list(range(rank))
    if rank == 4 and found == _SPATIAL and node.op_type in ("ReduceMean", "ReduceMax"):
        return _global(
            builder, values, node, output, who, "global_pool" if node.op_type == "ReduceMean" else "global_max_pool"
        )
    name = "mean" if node.op_type == "ReduceMean" else _name(node.op_type)
    return _add(builder, values, node, output, who, name, detail=tuple(found))


def _clipping(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    bounds = []
    for position, (key, default) in enumerate((("min", -_LARGE), ("max", _LARGE)), 1):
        held = values.number(node.input[position]) if len(node.input) > position and node.input[position] else None
        bounds.append(float(held) if held is not None else float(_attribute(node, key, default)))
    low, high = bounds
    if (low, high) == (0.0, 6.0):
        name = "hard_sigmoid" if _shifted_by_three(values, node.input[0]) else "relu6"
        return _add(builder, values, node, output, who, name)
    if low == 0.0 and high >= _LARGE:
        return _add(builder, values, node, output, who, "relu")
    return _add(builder, values, node, output, who, "clip", detail=(low, high))


def _shifted_by_three(values: Values, name: str) -> bool:
    """Return whether a value is x + 3, of which a hard sigmoid is the sixth, cut off at 0 and 6."""
    maker = values.makers.get(name)
    if maker is None or maker.op_type != "Add":
        return False
    held = [number for number in map(values.number, maker.input) if number is not None]
    return len(held) == 1 and held[0].size == 1 and float(held[0].ravel()[0]) == 3.0


def _arithmetic(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    dynamic = _dynamic(values, node)
    if len(dynamic) < 2:
        if node.op_type == "Div" and dynamic[0] != node.input[0]:
            return _add(builder, values, node, output, who, "reciprocal")
        return None  # with a constant: scale or shift
    name = "add" if node.op_type == "Sum" else _name(node.op_type)
    number = _add(builder, values, node, output, who, name)
    if name == "div":
        normed = _layer_norm(builder, number)
        if normed is not None:
            shape = values.shape(output, who)
            return builder.add(primitive("layer_norm", shape, shape), (normed,))
    return number


def _layer_norm(builder: GraphNormalizer, number: int) -> int | None:
    """Return what (x - mean(x)) / sqrt(mean((x - mean(x))²)) normalizes, or None where a division is none."""
    nodes, reads = builder.nodes, builder.reads
    centered, root = reads[number]
    if nodes[centered].name != "sub" or nodes[root].name != "sqrt":
        return None
    variance = reads[root][0]
    x, mean = reads[centered]
    if nodes[variance].name != "mean" or nodes[mean].name != "mean" or reads[mean] != (x,):
        return None
    square = reads[variance][0]
    is_square = nodes[square].name in ("pow", "mul") and set(reads[square]) == {centered}
    return x if is_square and nodes[variance].detail == nodes[mean].detail else None


def _linear(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    first, second = node.input[0], node.input[1]
    if first in values.nodes and second in values.nodes:
        shape, result = values.whole(first, who), values.whole(output, who)
        source = tuple(shape[-2:]) if len(shape) > 1 else tuple(shape)
        made = primitive("matmul", source, tuple(result[1:] if result[0] == 1 else result))
        return builder.add(made, _reads(values, node))
    if first not in values.nodes and second not in values.nodes:
        return None  # a computed shift of a constant
    left = second in values.nodes  # W x: each column of the result is what the layer gives of one of x
    weight = values.whole(first if left else second, who)
    transposed = node.op_type == "Gemm" and bool(_attribute(node, "transA" if left else "transB", 0))
    features = weight[-1] if transposed != left or len(weight) == 1 else weight[-2]
    result = values.image(output, who)
    if len(weight) == 1:
        result = (*result, 1)
    elif left:
        result = (*result[:-2], *reversed(result[-2:]))
    made = primitive("linear", (features,), result)
    return builder.add(made, _reads(values, node))


def _joining(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    if len(node.input) == 1:
        return None
    axis = int(_attribute(node, "axis", 1)) % len(values.whole(output, who))
    return _add(builder, values, node, output, who, "concat", detail=(axis,))


def _transposition(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    rank = len(values.whole(node.input[0], who))
    order = tuple(int(one) for one in _attribute(node, "perm", list(range(rank))[::-1]))
    return None if order == tuple(range(rank)) else _add(builder, values, node, output, who, "transpose", detail=order)


def _slicing(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    """Add a slice of what was not sliced itself: two slices in a row are one."""
    source = node.input[0]
    shape = values.whole(source, who)
    starts, steps = _list(values, node, 1, "starts"), _list(values, node, 4, "steps")
    axes = _list(values, node, 3, "axes")
    if starts is None:  # computed while the network runs
        return add_plain(builder, values, node, output, who)
    axes = [axis % len(shape) for axis in axes] if axes else list(range(len(starts)))
    base, cut = values.slices.get(source, (source, {}))
    cut = dict(cut)
    for axis, start, step in zip(axes, starts, steps or [1] * len(starts), strict=True):
        begin = max(start + shape[axis], 0) if start < 0 else min(start, shape[axis])
        offset, stride = cut.get(axis, (0, 1))
        cut[axis] = (offset + begin * stride, stride * step)
    return _cut(builder, values, output, who, base, cut)


def _cut(
    builder: GraphNormalizer, values: Values, output: str, who: str, base: str, cut: Mapping[int, tuple[int, int]]
) -> int | None:
    """Add what a slice takes of a value, by start and step of each axis."""
    whole, result = values.whole(base, who), values.whole(output, who)
    values.slices[output] = base, dict(cut)
    if whole == result and all(held == (0, 1) for held in cut.values()):
        values.nodes[output] = values.nodes[base]
        return values.nodes[base]
    detail = [number for axis, held in sorted(cut.items()) if held != (0, 1) for number in (axis, *held)]
    made = primitive("slice", values.shape(base, who), values.shape(output, who), detail=tuple(detail))
    return builder.add(made, (values.nodes[base],))


def _splitting(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    """Add one part of a split as the slice that it is."""
    source = node.input[0]
    axis = int(_attribute(node, "axis", 0)) % len(values.whole(source, who))
    before: Sequence[str] = list(node.output)[: list(node.output).index(output)]
    start = sum(values.whole(name, who)[axis] for name in before)
    base, cut = values.slices.get(source, (source, {}))
    offset, stride = cut.get(axis, (0, 1))
    return _cut(builder, values, output, who, base, {**cut, axis: (offset + start * stride, stride)})


def _padding(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    if _attribute(node, "mode", b"constant") == b"constant":
        return None
    return add_plain(builder, values, node, output, who)


def _power(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    held = values.number(node.input[1])
    detail = (float(held.ravel()[0]),) if held is not None and held.size == 1 else ()
    return _add(builder, values, node, output, who, "pow", detail=detail)


def _with_alpha(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
    alpha = round(float(_attribute(node, "alpha", 0.01 if node.op_type == "LeakyRelu" else 1.0)), 6)
    return _add(builder, values, node, output, who, _name(node.op_type), detail=(alpha,))


def _named(name: str) -> Handler:
    """Return a handler of an operator whose name in words is not its own."""

    def add(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, output: str, who: str) -> int | None:
        return _add(builder, values, node, output, who, name)

    return add


HANDLERS: Mapping[str, Handler] = {
    "Conv": _convolution, "ConvTranspose": _convolution, "ConvInteger": _convolution,
    "QLinearConv": _quantized, "QLinearMatMul": _quantized, "MatMulInteger": _linear, "Sum": _arithmetic,
    "MaxPool": _pooling, "AveragePool": _pooling, "GlobalAveragePool": _global, "GlobalMaxPool": _global,
    "ReduceMean": _reduction, "ReduceMax": _reduction, "ReduceSum": _reduction, "ReduceMin": _reduction,
    "Clip": _clipping, "Add": _arithmetic, "Sub": _arithmetic, "Mul": _arithmetic, "Div": _arithmetic,
    "Gemm": _linear, "MatMul": _linear, "Concat": _joining, "Transpose": _transposition, "Slice": _slicing,
    "Split": _splitting, "Pad": _padding, "Pow": _power, "LeakyRelu": _with_alpha, "Elu": _with_alpha,
    "PRelu": _named("prelu"), "LayerNormalization": _named("layer_norm"), "GroupNormalization": _named("group_norm"),
    "InstanceNormalization": _named("instance_norm"), "Upsample": _named("resize"),
}  # fmt: skip
"""Operator -> its handler; every other one is added by `add_plain`."""
