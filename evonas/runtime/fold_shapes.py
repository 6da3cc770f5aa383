"""Arithmetic on sizes, which exporters of older operator sets write into graphs, as constants where they are fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evonas.runtime.graph import Graph

if TYPE_CHECKING:
    import onnx

__all__ = ["fold_shapes"]

_ARITHMETIC = frozenset(
    (
        "Add", "Cast", "Concat", "ConstantOfShape", "Div", "Gather", "Mul", "Neg", "Reshape", "Slice", "Squeeze", "Sub",
        "Transpose", "Unsqueeze",
    )
)  # fmt: skip
_MOST = 1024
"""Numbers of a constant that is computed here: sizes and paddings have a few."""


def fold_shapes(graph: Graph, opset: int) -> bool:
    """Replace one size, calculation with sizes, or target of a reshape by a constant; return whether one was there.

    Args:
        graph: With the shapes of its values as far as they are known.
        opset: Operator set of the model.
    """
    for node in graph.proto.node:
        if len(node.output) != 1 or node.output[0] in graph.outputs:
            continue
        found = _size(graph, node)
        if found is None:
            found = _calculated(graph, node, opset)
        if found is None:
            found = _target(graph, node)
        if found is None:
            continue
        name = node.output[0]
        graph.proto.node.remove(node)
        graph.add(name, found)
        return True
    return False


def _size(graph: Graph, node: onnx.NodeProto) -> np.ndarray | None:
    """Return the sizes that a node takes out of a shape, if they are fixed."""
    maker = graph.maker.get(node.input[0]) if node.op_type == "Gather" else None
    if maker is None or maker.op_type != "Shape" or maker.attribute:
        return None
    shape, indices = graph.shapes.get(maker.input[0]), graph.constant(node.input[1])
    if not shape or indices is None:
        return None
    sizes = [shape[int(index)] for index in indices.ravel()]
    if any(size is None for size in sizes):
        return None
    return np.array(sizes, dtype=np.int64).reshape(indices.shape)


def _calculated(graph: Graph, node: onnx.NodeProto, opset: int) -> np.ndarray | None:
    """Return what a node makes of constants, if these are whole numbers and few."""
    if node.op_type not in _ARITHMETIC or not node.input:
        return None
    given = {name: graph.constant(name) for name in node.input}
    values = {name: value for name, value in given.items() if value is not None and value.dtype.kind == "i"}
    if len(values) < len(given) or sum(value.size for value in values.values()) > _MOST:
        return None
    from onnx import TensorProto, helper
    from onnx.reference import ReferenceEvaluator

    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in values.items()
    ]
    output = helper.make_tensor_value_info(node.output[0], TensorProto.UNDEFINED, None)
    alone = helper.make_model(
        helper.make_graph([node], "sizes", inputs, [output]), opset_imports=[helper.make_opsetid("", opset)]
    )
    (result,) = map(np.asarray, ReferenceEvaluator(alone).run(None, values))
    return result if result.dtype.kind == "i" and result.size <= _MOST else None


def _target(graph: Graph, node: onnx.NodeProto) -> np.ndarray | None:
    """Return the target of a reshape whose sizes are fixed but for one, which then follows from them."""
    takers = graph.takers.get(node.output[0], [])
    if node.op_type != "Concat" or any(t.op_type != "Reshape" or t.input[1] != node.output[0] for t in takers):
        return None
    parts = [graph.constant(name) for name in node.input]
    open_parts = [name for name, part in zip(node.input, parts, strict=True) if part is None]
    if len(open_parts) != 1 or graph.shapes.get(open_parts[0]) != [1]:
        return None
    target = np.concatenate([np.array([-1]) if part is None else part.ravel() for part in parts]).astype(np.int64)
    return target if (target > 0).sum() == len(target) - 1 else None
