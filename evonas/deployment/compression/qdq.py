"""Eight-bit integers for weights and activations.

References:
    .. [Jacob2018] Jacob et al.: Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
       Inference, CVPR 2018, arXiv 1712.05877.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from evonas.deployment.compression.ranges import OPERATIONS, Calibration, activation_ranges, calm, refusing
from evonas.errors import ExportError
from evonas.runtime.checks import check_model, set_metadata, strip
from evonas.runtime.gates import gates
from evonas.runtime.graph import Graph

OLDEST_OPSET = 13
"""Operator set from which QuantizeLinear and DequantizeLinear take a scale for each channel."""


def opset_of(model: onnx.ModelProto) -> int:
    """Return the operator set of a model."""
    return next(int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx"))


def check_opset(opset: int) -> None:
    """Raise `ExportError` where an operator set is too low for 8-bit integers."""
    if opset < OLDEST_OPSET:
        raise ExportError(
            f"Expected --opset {OLDEST_OPSET} or more, from which DequantizeLinear takes a scale for each channel, got "
            f"{opset}: raise it, or use --quantize int8-weights"
        )


def ends(model: onnx.ModelProto) -> list[str]:
    """Return the names of the first and the last node with weights.

    Args:
        model: Its nodes have names and stand in the order that they run in.
    """
    weighted = [node.name for node in model.graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
    return list(dict.fromkeys([*weighted[:1], *weighted[-1:]]))


def quantize(
    model: onnx.ModelProto,
    images: np.ndarray | None = None,
    *,
    ranges: Any = None,
    calibration: Calibration = "minmax",
    keep: Iterable[str] = (),
) -> onnx.ModelProto:
    """Return a model with 8-bit weights (signed, per channel) and activations (unsigned), as QDQ nodes ([Jacob2018]_).

    Gates stay in float; onnxruntime runs the other convolutions and fully connected layers on integers.

    Args:
        model: Takes float32 images; its first dimension may be open.
        images: Calibration images as the model takes them, shape (n, c, h, w), n ≥ 32; not needed with `ranges`.
        ranges: What `activation_ranges` returned for this model.
        calibration: How ranges follow from the images.
        keep: Names of further nodes that stay in float.

    Raises:
        ExportError: Too few calibration images, or a model that cannot be quantized.
    """
    check_opset(opset_of(model))
    if ranges is None:
        assert images is not None
        ranges = activation_ranges(model, images, calibration)
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.quant_utils import QuantType, save_and_reload_model_with_shape_infer

    with tempfile.TemporaryDirectory(prefix="evonas-") as folder, calm(), refusing("quantized"):
        own = onnx.ModelProto()
        own.CopyFrom(model)  # the quantizer changes what it is given
        quantizer = QDQQuantizer(
            save_and_reload_model_with_shape_infer(own),
            True,  # per channel
            False,  # reduce_range
            QuantType.QInt8,
            QuantType.QUInt8,
            ranges,
            [],
            [*gates(model), *keep],
            list(OPERATIONS),
            {},
        )
        quantizer.quantize_model()
        file = Path(folder) / "int8.onnx"
        quantizer.model.save_model_to_file(file, False)
        quantized = onnx.load(file)
    strip(quantized)
    quantized.graph.ClearField("value_info")
    quantized.ir_version = model.ir_version
    kept = [entry for entry in quantized.opset_import if entry.domain in ("", "ai.onnx")]
    del quantized.opset_import[:]
    quantized.opset_import.extend(kept)
    _compact(quantized)
    set_metadata(quantized, {entry.key: entry.value for entry in model.metadata_props})
    check_model("the int8 model", quantized)
    return quantized


def _compact(model: onnx.ModelProto) -> None:
    """Leave one of weights that are equal, such as zero points, and give values in between short names."""
    graph = Graph(model.graph, {})
    graph.merge_weights()
    graph.drop_unused()
    kept = {value.name for value in (*model.graph.input, *model.graph.output)}
    short: dict[str, str] = {}
    for weight in model.graph.initializer:
        short[weight.name] = weight.name = f"w{len(short)}" if weight.name.endswith(_HELPERS) else weight.name
    for node in model.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            node.name = ""
        for index, name in enumerate(node.input):
            node.input[index] = short.get(name, name)
        for index, name in enumerate(node.output):
            node.output[index] = short[name] = name if name in kept else f"v{len(short)}"


_HELPERS = ("_scale", "_zero_point", "_quantized_scale", "_quantized_zero_point")
