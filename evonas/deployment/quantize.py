"""Eight-bit integers for weights and activations, calibrated on real images.

References:
    .. [Jacob2018] Jacob et al.: Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
       Inference, CVPR 2018, arXiv 1712.05877.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx

from evonas.errors import ExportError
from evonas.runtime.checks import check_model, set_metadata, strip

FEWEST = 32
"""Calibration images below which ranges of activations would be those of single images."""
OPERATIONS = (
    "Conv", "Gemm", "MatMul", "Add", "Concat", "Relu", "MaxPool", "AveragePool", "Slice", "Reshape", "Flatten",
)  # fmt: skip
"""Operations that run on integers, outside gates."""


def check_calibration(images: int) -> None:
    """Raise `ExportError` where there are too few images to calibrate on."""
    if images < FEWEST:
        raise ExportError(
            f"Expected at least {FEWEST} validation images to calibrate int8 on, got {images}: search with more data "
            "or a larger --validation, or deploy without --quantize"
        )


def gates(model: onnx.ModelProto) -> list[str]:
    """Return the names of the nodes of gates: from a pooling over all pixels to the product with what was pooled.

    Squeeze-and-excitation computes a factor for each channel out of a few numbers. Integers save nothing there, and
    the error of a factor is one of all pixels of its channel.

    Args:
        model: Its nodes have names.
    """
    takers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            takers.setdefault(name, []).append(node)
    found: dict[str, None] = {}
    for pool in model.graph.node:
        if pool.op_type != "GlobalAveragePool" or all(t.op_type != "Conv" for t in takers.get(pool.output[0], [])):
            continue
        waiting = [pool]
        while waiting:
            node = waiting.pop()
            if node.name not in found and node.op_type != "Mul":
                found[node.name] = None
                waiting += [taker for name in node.output for taker in takers.get(name, [])]
    return list(found)


def quantize(model: onnx.ModelProto, images: np.ndarray, *, batch: int = 32) -> onnx.ModelProto:
    """Return a model with 8-bit weights (per channel) and activations ([Jacob2018]_), as QDQ nodes of ONNX.

    Args:
        model: Takes float32 images; its first dimension may be open.
        images: Calibration images as the model takes them, shape (n, c, h, w), n ≥ 32: activations get the
            ranges that these span.
        batch: Images per calibration pass where the model leaves that open.

    Raises:
        ExportError: Too few calibration images, or a model that cannot be quantized.
    """
    check_calibration(len(images))
    # Imported late: it takes a second.
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    # The quantizer moves the weights of what it is given to files of its own.
    own = onnx.ModelProto()
    own.CopyFrom(model)
    entry = model.graph.input[0]
    fixed = entry.type.tensor_type.shape.dim[0].dim_value

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        def __init__(self) -> None:
            self.parts: Iterator[np.ndarray] = iter(_parts(images, fixed or batch))

        def get_next(self) -> dict[str, np.ndarray] | None:
            part = next(self.parts, None)
            return None if part is None else {entry.name: part}

    with tempfile.TemporaryDirectory(prefix="evonas-") as folder, _calm():
        file = Path(folder) / "model.onnx"
        try:
            quantize_static(
                own,
                file,
                Reader(),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=list(OPERATIONS),
                nodes_to_exclude=gates(own),
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
            )
            quantized = onnx.load(file)
        except Exception as error:
            cause = " ".join(str(error).split())[:240] or type(error).__name__
            raise ExportError(f"The model could not be quantized: {cause}; deploy without --quantize") from error
    strip(quantized)
    set_metadata(quantized, {entry.key: entry.value for entry in model.metadata_props})
    check_model("the int8 model", quantized)
    return quantized


def _parts(images: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(images) - size + 1, size):
        yield images[start : start + size]


@contextmanager
def _calm() -> Iterator[None]:
    """Hold back advice that onnxruntime's quantizer logs to the root logger, such as to optimize first."""
    root = logging.getLogger()

    def theirs(record: logging.LogRecord) -> bool:
        return "onnxruntime" not in record.pathname

    handlers = list(root.handlers)
    root.addFilter(theirs)
    # Without any handler the first message would install one.
    guard = None if handlers else logging.NullHandler()
    if guard is not None:
        root.addHandler(guard)
    try:
        yield
    finally:
        root.removeFilter(theirs)
        if guard is not None:
            root.removeHandler(guard)
