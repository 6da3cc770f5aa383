"""Correction of biases: what rounded weights add to the mean of each output is taken out of its bias.

References:
    .. [Nagel2019] Nagel et al.: Data-Free Quantization Through Weight Equalization and Bias Correction, ICCV 2019,
       arXiv 1906.04721, section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper
from torch import Tensor

from evonas.runtime import session
from evonas.runtime.graph import Graph, attribute

_BATCH = 32


def correct_biases(model: onnx.ModelProto, reduced: onnx.ModelProto, images: np.ndarray) -> onnx.ModelProto:
    """Return a float model whose biases make up for the weights of a model reduced from it ([Nagel2019]_).

    Where ΔW is what rounding adds to the weights, an output shifts by E[ΔW x] = ΔW E[x]; both are linear, so that
    the mean of each input over the images, pixel by pixel, gives it exactly, padding included.

    Args:
        model: The float model.
        reduced: The same with weights of fewer bits; nodes that it shares bear the same names.
        images: As the model takes them, shape (n, c, h, w).

    Returns:
        A copy of `model`, to be reduced again in the same way.
    """
    own = onnx.ModelProto()
    own.CopyFrom(model)
    graph, other = Graph(own.graph, {}), Graph(reduced.graph, {})
    theirs = {node.name: node for node in reduced.graph.node}
    changes: list[tuple[onnx.NodeProto, np.ndarray]] = []
    for node in own.graph.node:
        if node.op_type not in ("Conv", "Gemm") or node.name not in theirs or not _is_plain(node):
            continue
        exact, rounded = graph.constant(node.input[1]), _restored(other, theirs[node.name].input[1])
        if exact is not None and rounded is not None and not np.array_equal(exact, rounded):
            changes.append((node, rounded.astype(np.float64) - exact))
    means = _mean_inputs(own, [node.input[0] for node, _ in changes], images)
    for node, change in changes:
        shift = _shift(node, torch.from_numpy(means[node.input[0]]), torch.from_numpy(change))
        bias = graph.constant(node.input[2]) if len(node.input) > 2 else None
        moved = -shift if bias is None else bias - shift
        name = graph.add(f"{node.input[1].partition('@')[0]}_bias@", moved.astype(np.float32))
        kept = list(node.input[:2])
        del node.input[:]
        node.input.extend([*kept, name])
    graph.refresh()
    graph.drop_unused()
    return own


def _is_plain(node: onnx.NodeProto) -> bool:
    """Return whether a node's padding and factors are such that its output is linear in what `_shift` computes."""
    if node.op_type == "Conv":
        return attribute(node, "auto_pad", b"NOTSET") == b"NOTSET"
    return (
        attribute(node, "alpha", 1.0) == 1.0 and attribute(node, "beta", 1.0) == 1.0 and not attribute(node, "transA")
    )


def _restored(graph: Graph, name: str) -> np.ndarray | None:
    """Return the weight that a value is restored to by Cast and Mul, or by DequantizeLinear; None: by nothing known."""
    value = graph.constant(name)
    if value is not None:
        return value.astype(np.float32)
    maker = graph.maker.get(name)
    if maker is None:
        return None
    if maker.op_type == "Cast":
        return _restored(graph, maker.input[0])
    parts = [graph.constant(part) for part in maker.input]
    if maker.op_type == "Mul":
        stored, scale = _restored(graph, maker.input[0]), parts[1]
        return None if stored is None or scale is None else np.asarray(stored * scale)
    if maker.op_type != "DequantizeLinear" or parts[0] is None or parts[1] is None:
        return None
    stored, scale = parts[0].astype(np.float32), parts[1]
    axis = int(attribute(maker, "axis", 1))  # type: ignore[call-overload]  # an integer by the definition
    return np.asarray(stored * scale.reshape([-1 if i == axis % stored.ndim else 1 for i in range(stored.ndim)]))


def _mean_inputs(model: onnx.ModelProto, names: Sequence[str], images: np.ndarray) -> dict[str, np.ndarray]:
    """Return the mean of values of a model over images, each without its first dimension, in float64."""
    open_model = onnx.ModelProto()
    open_model.CopyFrom(model)
    entry = model.graph.input[0]
    outputs = {value.name for value in open_model.graph.output}
    inside = [name for name in dict.fromkeys(names) if name != entry.name]
    for name in inside:
        if name not in outputs:
            open_model.graph.output.append(helper.make_empty_tensor_value_info(name))
    size = entry.type.tensor_type.shape.dim[0].dim_value or _BATCH
    opened: Any = session(open_model)
    sums: dict[str, np.ndarray] = {entry.name: images.sum(axis=0, dtype=np.float64)}
    count = len(images) // size * size
    for start in range(0, count, size):
        found = opened.run(inside, {entry.name: images[start : start + size]}) if inside else []
        for name, values in zip(inside, found, strict=True):
            sums[name] = sums.get(name, 0.0) + values.sum(axis=0, dtype=np.float64)
    return {name: total / (len(images) if name == entry.name else count) for name, total in sums.items()}


def _shift(node: onnx.NodeProto, mean: Tensor, change: Tensor) -> np.ndarray:
    """Return by how much a change of weights moves the mean of each output channel."""
    if node.op_type == "Gemm":
        return np.asarray((change if attribute(node, "transB") else change.T) @ mean)
    own: dict[str, Any] = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    top, left, bottom, right = own.get("pads", [0] * 4)
    padded = torch.nn.functional.pad(mean[None], (left, right, top, bottom))
    moved = torch.nn.functional.conv2d(
        padded,
        change,
        stride=tuple(own.get("strides", (1, 1))),
        dilation=tuple(own.get("dilations", (1, 1))),
        groups=own.get("group", 1),
    )
    return np.asarray(moved.mean(dim=(0, 2, 3)))
