"""Weights stored with fewer bits and computed with in float32: smaller files of the same speed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from evonas.runtime.checks import check_model

Storage = Literal["int8", "fp16"]
SMALLEST = 64
"""Values of a weight below which nodes that restore it take more than its bits save."""
_HALF_LIMIT = float(np.finfo(np.float16).max)


def store_weights(model: onnx.ModelProto, storage: Storage, keep: Iterable[str] = ()) -> onnx.ModelProto:
    """Return a model whose weights are stored with fewer bits; loading it makes float32 of them again, once.

    Eight-bit weights are symmetric and have a scale for each output channel. They are restored by Cast and Mul, which
    onnxruntime folds when it loads a model.

    Args:
        model: Its convolutions and fully connected layers may have weights that are stored so already: these stay.
        storage: ``int8``, of weights of convolutions and layers; ``fp16``, of these and of all biases.
        keep: Names of nodes whose weights stay as they are.
    """
    own = onnx.ModelProto()
    own.CopyFrom(model)
    graph, kept = own.graph, set(keep)
    weights = {weight.name: weight for weight in graph.initializer}
    spared = {name for node in graph.node if node.name in kept for name in node.input}
    restoring: list[onnx.NodeProto] = []
    for node in list(graph.node):
        if node.op_type not in ("Conv", "Gemm", "MatMul"):
            continue
        for index, name in enumerate(node.input[1 : 2 if storage == "int8" else None], start=1):
            weight = weights.get(name)
            if weight is None or weight.data_type != TensorProto.FLOAT or name in spared:
                continue
            values = np.asarray(numpy_helper.to_array(weight))
            if values.size < SMALLEST or (storage == "fp16" and np.abs(values).max() >= _HALF_LIMIT):
                continue
            del weights[name]
            graph.initializer.remove(weight)
            axis = _channel_axis(node) if index == 1 else 0
            restoring += _halve(graph, name, values) if storage == "fp16" else _to_bytes(graph, name, values, axis)
    nodes = [*restoring, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    check_model("the model of smaller weights", own)
    return own


def _channel_axis(node: onnx.NodeProto) -> int:
    """Return the axis of output channels of a node's weight."""
    if node.op_type == "Gemm":
        transposed = next((a.i for a in node.attribute if a.name == "transB"), 0)
        return 0 if transposed else 1
    return 0 if node.op_type == "Conv" else -1


def _halve(graph: onnx.GraphProto, name: str, values: np.ndarray) -> list[onnx.NodeProto]:
    graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
    return [helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT)]


def _to_bytes(graph: onnx.GraphProto, name: str, values: np.ndarray, axis: int) -> list[onnx.NodeProto]:
    rest = tuple(i for i in range(values.ndim) if i != axis % values.ndim)
    scale = np.abs(values).max(axis=rest, keepdims=True).astype(np.float32) / np.float32(127)
    scale[scale == 0] = 1.0
    stored = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
    graph.initializer.append(numpy_helper.from_array(stored, f"{name}.int8"))
    graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
    return [
        helper.make_node("Cast", [f"{name}.int8"], [f"{name}.cast"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.cast", f"{name}.scale"], [name]),
    ]
