"""Simplification of exported graphs: norms and input scaling folded into convolutions, one node for each operation.

Exporters leave what their own rules do not reach: norms behind a concatenation or a pooling, scaling of the input,
reductions where a pooling is meant, weights written twice. Each rule here keeps the function of the graph; arithmetic
on weights is done in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from evonas.runtime.fold import fold_input, fold_norm
from evonas.runtime.fold_shapes import fold_shapes
from evonas.runtime.graph import Graph, attribute, shapes_of

if TYPE_CHECKING:
    import onnx

__all__ = ["simplify"]

_LEAST_IR = 4
"""IR version from which weights need not be inputs too."""
_END = 2**31 - 1
"""Ends of slices from which exporters mean the last element."""


def simplify(model: onnx.ModelProto) -> None:
    """Simplify a model in place, without change of its inputs, outputs or operator set.

    Norms become part of the convolutions before them, also through a concatenation; others become one depthwise
    1 x 1 convolution, which 8 bits reach as well. A subtraction and division of the input
    by channel are folded into the first convolutions as far as that is exact: the scale always, the shift where
    nothing is padded. Means over all pixels become ``GlobalAveragePool``, a reshape to rows ``Flatten``; what does
    nothing and weights that are unused or written twice go. Shapes of values within are dropped, nodes get names.

    Args:
        model: With weights inside; operations of the main graph are simplified, those inside branches are left alone.
    """
    import onnx

    shapes = shapes_of(model)
    graph = Graph(model.graph, shapes)
    opset = next(int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    while _move_constants(graph):
        graph.refresh()
    known = True
    while known:  # a reshape to fixed sizes lets further ones be known
        known = False
        while fold_shapes(graph, opset):
            graph.refresh()
            known = True
        if known:
            graph.drop_unused()
            graph.shapes.update(shapes_of(model))
    for rule in _RULES:
        while rule(graph):
            graph.refresh()
    graph.merge_weights()
    graph.drop_unused()
    graph.name_nodes()
    model.graph.ClearField("value_info")
    model.ir_version = max(
        onnx.helper.find_min_ir_version_for(list(model.opset_import), ignore_unknown=True), _LEAST_IR
    )


def _move_constants(graph: Graph) -> bool:
    """Turn nodes that only hold a tensor into weights."""
    for node in graph.proto.node:
        held = attribute(node, "value") if node.op_type == "Constant" else None
        if held is not None:
            held.name = node.output[0]  # type: ignore[attr-defined]  # a TensorProto by the operator's definition
            graph.proto.initializer.append(held)
            graph.proto.node.remove(node)
            return True
    return False


def _drop_idle(graph: Graph) -> bool:
    """Drop identities and slices of everything."""
    for node in graph.proto.node:
        if node.op_type == "Identity" or (node.op_type == "Slice" and _takes_all(graph, node)):
            source = node.input[0]
            if node.output[0] in graph.outputs and (source not in graph.maker or source in graph.outputs):
                continue
            graph.bypass(node, source)
            return True
    return False


_Cut = tuple[int, int, int]
"""Start, end and step of a slice."""


def _cuts(graph: Graph, node: onnx.NodeProto) -> dict[int, _Cut] | None:
    """Return by axis what a slice, opset 10 or later, takes; None where that is computed."""
    starts, ends, *rest = (graph.constant(name) for name in node.input[1:])
    if starts is None or ends is None or any(part is None for part in rest):
        return None
    axes = rest[0] if rest else np.arange(len(starts))
    steps = rest[1] if len(rest) > 1 else np.ones(len(starts))
    assert axes is not None
    assert steps is not None
    columns = (np.asarray(part).tolist() for part in (axes, starts, ends, steps))
    return {int(axis): (int(start), int(end), int(step)) for axis, start, end, step in zip(*columns, strict=True)}


def _takes_all(graph: Graph, node: onnx.NodeProto) -> bool:
    """Return whether a slice starts at 0 and ends no earlier than its input."""
    shape, cuts = graph.shapes.get(node.input[0]), _cuts(graph, node)
    if shape is None or cuts is None:
        return False
    for axis, (start, end, step) in cuts.items():
        size = shape[axis]
        if start != 0 or step != 1 or (end < _END and (size is None or end < size)):
            return False
    return True


def _merge_slices(graph: Graph) -> bool:
    """Make one slice of two in a row that cut other axes."""
    for node in graph.proto.node:
        before = graph.maker.get(node.input[0]) if node.op_type == "Slice" else None
        if before is None or before.op_type != "Slice" or not graph.alone(node.input[0]):
            continue
        first, second = _cuts(graph, before), _cuts(graph, node)
        rank = len(graph.shapes.get(node.input[0], []))
        if first is None or second is None or not rank or {a % rank for a in first} & {a % rank for a in second}:
            continue
        cuts = first | second
        starts, ends, steps = zip(*cuts.values(), strict=True)
        columns = {"starts": starts, "ends": ends, "axes": tuple(cuts), "steps": steps}
        names = [graph.add(f"slice.{name}", np.array(values, dtype=np.int64)) for name, values in columns.items()]
        del node.input[:]
        node.input.extend([before.input[0], *names])
        graph.proto.node.remove(before)
        return True
    return False


def _pool_globally(graph: Graph) -> bool:
    """Turn a mean over all pixels into a pooling, and a reshape of its result to rows into a flattening."""
    from onnx import helper

    for node in graph.proto.node:
        if node.op_type == "ReduceMean" and len(graph.shapes.get(node.input[0], [])) == 4:
            axes = graph.constant(node.input[1]) if len(node.input) > 1 else attribute(node, "axes")
            if axes is None or sorted(int(a) % 4 for a in axes) != [2, 3]:  # type: ignore[attr-defined]  # integers
                continue
            keeps = attribute(node, "keepdims", 1)
            source, output = node.input[0], node.output[0]
            if keeps:
                node.CopyFrom(helper.make_node("GlobalAveragePool", [source], [output], node.name))
            else:
                pooled = f"{output}_pooled"
                at = list(graph.proto.node).index(node)
                node.CopyFrom(helper.make_node("Flatten", [pooled], [output], axis=1))
                graph.proto.node.insert(at, helper.make_node("GlobalAveragePool", [source], [pooled]))
                graph.shapes[pooled] = [*graph.shapes[source][:2], 1, 1]
            return True
        if node.op_type == "Reshape" and _flattens(graph, node):
            node.CopyFrom(helper.make_node("Flatten", [node.input[0]], [node.output[0]], node.name, axis=1))
            return True
    return False


def _flattens(graph: Graph, node: onnx.NodeProto) -> bool:
    """Return whether a reshape leaves the batch and lines up the rest."""
    shape, target = graph.shapes.get(node.input[0], []), graph.constant(node.input[1])
    if target is None or len(target) != 2 or len(shape) < 3 or any(size is None for size in shape[1:]):
        return False
    features = int(np.prod([size for size in shape[1:] if size is not None]))
    rows = shape[0]
    first, second = int(target[0]), int(target[1])
    if rows is None:
        return (first in (-1, 0) and second == features) or (first == 0 and second == -1)
    return (first in (-1, 0, rows) and second == features) or (first in (0, rows) and second == -1)


def _fold_padding(graph: Graph) -> bool:
    """Let a convolution pad with zeros itself."""
    from onnx import helper

    for node in graph.proto.node:
        if node.op_type != "Pad" or not graph.alone(node.output[0]) or not _pads_zeros(graph, node):
            continue
        (taker,), pads = graph.takers[node.output[0]], graph.constant(node.input[1])
        if taker.op_type != "Conv" or taker.input[0] != node.output[0] or pads is None:
            continue
        half = len(pads) // 2
        spatial = [*pads[2:half], *pads[half + 2 :]]
        own = attribute(taker, "pads", [0] * len(spatial))
        if (pads < 0).any() or pads[:2].any() or pads[half : half + 2].any() or attribute(taker, "auto_pad"):
            continue
        kept = [one for one in taker.attribute if one.name != "pads"]
        del taker.attribute[:]
        both = [int(a) + int(b) for a, b in zip(spatial, own, strict=True)]  # type: ignore[call-overload]  # integers
        taker.attribute.extend([*kept, helper.make_attribute("pads", both)])
        graph.bypass(node, node.input[0])
        return True
    return False


def _pads_zeros(graph: Graph, node: onnx.NodeProto) -> bool:
    """Return whether a padding is of zeros on all axes in order."""
    if attribute(node, "mode", b"constant") != b"constant" or any(node.input[3:]):
        return False
    if len(node.input) < 3 or not node.input[2]:
        return True
    value = graph.constant(node.input[2])
    return value is not None and not value.any()


_RULES: tuple[Callable[[Graph], bool], ...] = (
    _drop_idle, _fold_padding, _merge_slices, _pool_globally, fold_norm, fold_input,
)  # fmt: skip
