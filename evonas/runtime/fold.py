"""Folding of what stands around a convolution into its weights: norms behind it, scaling of the input before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evonas.runtime.graph import Graph, attribute

if TYPE_CHECKING:
    import onnx

__all__ = ["fold_input", "fold_norm"]


def fold_norm(graph: Graph) -> bool:
    """Fold one norm into the convolutions before it; where there are none it becomes a convolution itself."""
    for node in graph.proto.node:
        if node.op_type != "BatchNormalization" or len(graph.shapes.get(node.input[0], [])) != 4:
            continue
        parts = [graph.constant(name) for name in node.input[1:]]
        if any(part is None for part in parts) or len([o for o in node.output if o]) > 1:
            continue
        gamma, beta, mean, variance = (np.asarray(part, dtype=np.float64) for part in parts)
        epsilon = float(attribute(node, "epsilon", 1e-5))  # type: ignore[arg-type]  # a float by the definition
        scale = gamma / np.sqrt(variance + epsilon)
        shift = beta - mean * scale
        sources = _convolutions(graph, node.input[0])
        if sources is None:
            _become_convolution(graph, node, scale, shift)
        else:
            start = 0
            for convolution in sources:
                weight = graph.constant(convolution.input[1])
                assert weight is not None
                stop = start + len(weight)
                _scale_outputs(graph, convolution, scale[start:stop], shift[start:stop])
                start = stop
            graph.bypass(node, node.input[0])
        return True
    return False


def _convolutions(graph: Graph, name: str) -> list[onnx.NodeProto] | None:
    """Return the convolutions whose channels, in order, make up a value and nothing else; None: there are not."""
    maker = graph.maker.get(name)
    if maker is None or not graph.alone(name):
        return None
    if maker.op_type == "Conv":
        biases = maker.input[2:]
        known = graph.constant(maker.input[1]) is not None and all(graph.constant(b) is not None for b in biases)
        return [maker] if known else None
    if maker.op_type != "Concat" or attribute(maker, "axis") not in (1, -3):
        return None
    found = [_convolutions(graph, part) for part in maker.input]
    return None if any(part is None for part in found) else [one for part in found if part for one in part]


def _scale_outputs(graph: Graph, node: onnx.NodeProto, scale: np.ndarray, shift: np.ndarray) -> None:
    """Give a convolution weights by which its outputs are scaled and shifted, channel by channel."""
    weight = graph.constant(node.input[1])
    assert weight is not None
    bias = graph.constant(node.input[2]) if len(node.input) > 2 else None
    shifted = shift if bias is None else shift + scale * bias.astype(np.float64)
    scaled = weight.astype(np.float64) * scale.reshape(-1, *[1] * (weight.ndim - 1))
    _set_weights(graph, node, scaled.astype(weight.dtype), shifted.astype(weight.dtype))


def _set_weights(graph: Graph, node: onnx.NodeProto, weight: np.ndarray, bias: np.ndarray) -> None:
    base = node.input[1].partition("@")[0]
    stem = base.removesuffix("weight")
    names = [graph.add(f"{base}@", weight), graph.add(f"{stem}bias" if stem != base else f"{base}_bias", bias)]
    del node.input[1:]
    node.input.extend(names)


def _become_convolution(graph: Graph, node: onnx.NodeProto, scale: np.ndarray, shift: np.ndarray) -> None:
    """Turn a norm into a depthwise 1 x 1 convolution."""
    from onnx import helper

    example = graph.constant(node.input[1])
    assert example is not None
    base = node.input[1]
    weight = graph.add(f"{base}@", scale.reshape(-1, 1, 1, 1).astype(example.dtype))
    bias = graph.add(f"{node.input[2]}@", shift.astype(example.dtype))
    kept = [node.input[0], weight, bias]
    output = node.output[0]
    node.CopyFrom(helper.make_node("Conv", kept, [output], node.name, group=len(scale), kernel_shape=[1, 1]))


def fold_input(graph: Graph) -> bool:
    """Fold a division or product of the input by channel into the convolutions that take it, a shift where exact."""
    for node in graph.proto.node:
        if node.op_type not in ("Sub", "Add", "Div", "Mul") or not _by_channel(graph, node):
            continue
        takers = graph.takers.get(node.output[0], [])
        if node.output[0] in graph.outputs or not takers:
            continue
        if not all(_convolves(graph, taker, node.output[0]) for taker in takers):
            continue
        constant = graph.constant(node.input[1])
        assert constant is not None
        values = constant.astype(np.float64).reshape(-1)
        if node.op_type in ("Sub", "Add"):
            if any(_pads(taker) for taker in takers):
                continue
            for taker in takers:
                _shift_inputs(graph, taker, values if node.op_type == "Add" else -values)
        else:
            for taker in takers:
                _scale_inputs(graph, taker, values if node.op_type == "Mul" else 1 / values)
        graph.bypass(node, node.input[0])
        return True
    return False


def _convolves(graph: Graph, node: onnx.NodeProto, name: str) -> bool:
    """Return whether a node is a convolution of a value by known weights."""
    return node.op_type == "Conv" and node.input[0] == name and graph.constant(node.input[1]) is not None


def _by_channel(graph: Graph, node: onnx.NodeProto) -> bool:
    """Return whether a node combines images (n, c, h, w) with one constant for each channel, or for all."""
    shape, constant = graph.shapes.get(node.input[0], []), graph.constant(node.input[1])
    if constant is None or len(shape) != 4 or shape[1] is None:
        return False
    full = (1,) * (4 - constant.ndim) + constant.shape
    return len(full) == 4 and full[0] == full[2] == full[3] == 1 and full[1] in (1, shape[1])


def _pads(node: onnx.NodeProto) -> bool:
    pads = attribute(node, "pads", ())
    return any(pads) or attribute(node, "auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID")  # type: ignore[arg-type]  # integers by the definition


def _of_inputs(node: onnx.NodeProto, weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return values of a convolution's input channels, one for each output channel and its own inputs."""
    groups = int(attribute(node, "group", 1))  # type: ignore[call-overload]  # an integer by the definition
    channels = np.broadcast_to(values, (groups * weight.shape[1],)).reshape(groups, 1, weight.shape[1])
    each: np.ndarray = np.broadcast_to(channels, (groups, len(weight) // groups, weight.shape[1]))
    return each.reshape(len(weight), weight.shape[1], *[1] * (weight.ndim - 2))


def _scale_inputs(graph: Graph, node: onnx.NodeProto, values: np.ndarray) -> None:
    weight = graph.constant(node.input[1])
    assert weight is not None
    scaled = weight.astype(np.float64) * _of_inputs(node, weight, values)
    node.input[1] = graph.add(f"{node.input[1].partition('@')[0]}@", scaled.astype(weight.dtype))


def _shift_inputs(graph: Graph, node: onnx.NodeProto, values: np.ndarray) -> None:
    weight = graph.constant(node.input[1])
    assert weight is not None
    moved = (weight.astype(np.float64) * _of_inputs(node, weight, values)).reshape(len(weight), -1).sum(axis=1)
    bias = graph.constant(node.input[2]) if len(node.input) > 2 else None
    total = moved if bias is None else moved + bias
    _set_weights(graph, node, weight, total.astype(weight.dtype))
