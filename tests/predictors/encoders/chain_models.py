"""Five small ONNX models whose chain texts are known."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

__all__ = ["MODELS", "joined", "model_of"]


def model_of(nodes: list[NodeProto], out: list[int], weights: dict[str, list[int]], image: list[int]) -> ModelProto:
    """Make a model of an input ``x`` and an output ``y``, with weights of these shapes."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, out)],
        [numpy_helper.from_array(np.zeros(shape, dtype=np.float32), name) for name, shape in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def conv(source: str, weight: str, output: str, **attributes: object) -> NodeProto:
    return helper.make_node("Conv", [source, weight, f"{weight}b"], [output], **attributes)


def residual() -> ModelProto:
    """A chain, and a sum of its ends."""
    three = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [1, 1]}
    nodes = [
        conv("x", "w", "a", **three),
        helper.make_node("Relu", ["a"], ["b"]),
        conv("b", "v", "c", **three),
        helper.make_node("Add", ["c", "a"], ["d"]),
        helper.make_node("Relu", ["d"], ["e"]),
        helper.make_node("GlobalAveragePool", ["e"], ["f"]),
        helper.make_node("Flatten", ["f"], ["g"], axis=1),
        helper.make_node("Gemm", ["g", "l", "lb"], ["y"], transB=1),
    ]
    weights = {"w": [4, 3, 3, 3], "wb": [4], "v": [4, 4, 3, 3], "vb": [4], "l": [10, 4], "lb": [10]}
    return model_of(nodes, [1, 10], weights, [1, 3, 8, 8])


def gated() -> ModelProto:
    """A depthwise convolution of unlike strides and sides, and a gate whose branch begins where a chain was."""
    nodes = [
        conv("x", "w", "a", kernel_shape=[1, 1]),
        conv("a", "d", "b", kernel_shape=[3, 5], pads=[1, 2, 1, 2], strides=[2, 1], group=6),
        helper.make_node("HardSwish", ["b"], ["c"]),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        conv("p", "s", "q", kernel_shape=[1, 1]),
        helper.make_node("HardSigmoid", ["q"], ["r"], alpha=0.1666666716337204, beta=0.5),
        helper.make_node("Mul", ["c", "r"], ["m"]),
        conv("m", "o", "y", kernel_shape=[1, 1]),
    ]
    weights = {
        "w": [6, 3, 1, 1], "wb": [6], "d": [6, 1, 3, 5], "db": [6], "s": [6, 6, 1, 1], "sb": [6], "o": [4, 6, 1, 1],
        "ob": [4],
    }  # fmt: skip
    return model_of(nodes, [1, 4, 4, 8], weights, [1, 3, 8, 8])


def branches() -> ModelProto:
    """Two branches of one value, the second of which begins with an operation without weights."""
    nodes = [
        conv("x", "w", "a", kernel_shape=[3, 3], pads=[1, 1, 1, 1], dilations=[1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("AveragePool", ["a"], ["d"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Sigmoid", ["d"], ["e"]),
        conv("a", "v", "f", kernel_shape=[1, 1], strides=[2, 2]),
        helper.make_node("Add", ["c", "e"], ["g"]),
        helper.make_node("Concat", ["g", "f"], ["y"], axis=1),
    ]
    return model_of(nodes, [1, 8, 4, 4], {"w": [4, 3, 3, 3], "wb": [4], "v": [4, 4, 1, 1], "vb": [4]}, [1, 3, 8, 8])


def divided() -> ModelProto:
    """An operation of two outputs, an optional input that is missing, and a value that nothing names."""
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Split", ["a"], ["b", "c"], axis=1, num_outputs=2),
        helper.make_node("Clip", ["b", "", "six"], ["d"]),
        helper.make_node("Transpose", ["c"], ["e"], perm=[0, 1, 3, 2]),
        helper.make_node("LeakyRelu", ["e"], ["f"], alpha=0.2),
        helper.make_node("Mul", ["d", "f"], ["y"]),
    ]
    return model_of(nodes, [1, 2, 6, 6], {"six": []}, [1, 4, 6, 6])


def joined(axis: int = 1) -> ModelProto:
    """A value and its rectified form, one after the other along an axis."""
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("Sigmoid", ["a"], ["b"]),
        helper.make_node("Concat", ["a", "b"], ["c"], axis=axis),
        helper.make_node("Softmax", ["c"], ["y"], axis=1),
    ]
    return model_of(nodes, [1, 6, 6, 6] if axis == 1 else [1, 3, 12, 6], {}, [1, 3, 6, 6])


MODELS = {"residual": residual, "gated": gated, "branches": branches, "divided": divided, "joined": joined}
"""Name -> function that makes a model."""
