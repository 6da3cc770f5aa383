"""Ranges of activations over calibration images, by onnxruntime's calibrators."""

from __future__ import annotations

import io
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import onnx

from evonas.errors import ExportError

Calibration = Literal["minmax", "percentile", "entropy"]
CALIBRATIONS: tuple[Calibration, ...] = get_args(Calibration)
"""Full ranges, ranges without the outermost 0.01 %, and ranges that lose the least information ([Migacz2017]_)."""
OPERATIONS = (
    "Conv", "Gemm", "MatMul", "Add", "Concat", "Relu", "HardSwish", "MaxPool", "AveragePool", "Slice", "Reshape",
    "Flatten",
)  # fmt: skip
"""Operations that run on integers, outside gates. HardSwish itself does not, but the convolution before it does only
where its own output is quantized."""
HARD_SWISH_ZERO = -3.0
"""Input of HardSwish from which on it is 0 to the left."""
FEWEST = 32
"""Calibration images below which ranges of activations would be those of single images."""
_PERCENTILE = 99.99
_BATCH = 32


def check_calibration(images: int) -> None:
    """Raise `ExportError` where there are too few images to calibrate on."""
    if images < FEWEST:
        raise ExportError(
            f"Expected at least {FEWEST} validation images to calibrate int8 on, got {images}: search with more data "
            "or a larger --validation, or deploy without --quantize"
        )


def activation_ranges(model: onnx.ModelProto, images: np.ndarray, method: Calibration = "minmax") -> Any:
    """Return the range of each value of a model, as onnxruntime's quantizer takes them.

    Args:
        model: Takes float32 images; its first dimension may be open.
        images: Calibration images as the model takes them, shape (n, c, h, w), n ≥ 32.
        method: How a range follows from the values seen.

    Raises:
        ExportError: Too few calibration images, or the model cannot run on them.

    References:
        .. [Migacz2017] Migacz: 8-bit Inference with TensorRT, GPU Technology Conference 2017.
    """
    check_calibration(len(images))
    # Imported late: it takes a second.
    from onnxruntime.quantization.calibrate import CalibrationDataReader, CalibrationMethod, create_calibrator

    entry = model.graph.input[0]
    size = entry.type.tensor_type.shape.dim[0].dim_value or _BATCH

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        def __init__(self, part: np.ndarray) -> None:
            self.part: np.ndarray | None = part

        def get_next(self) -> dict[str, np.ndarray] | None:
            part, self.part = self.part, None
            return None if part is None else {entry.name: part}

    kind = {"minmax": "MinMax", "percentile": "Percentile", "entropy": "Entropy"}[method]
    options = {"percentile": _PERCENTILE, "symmetric": False} if method == "percentile" else {}
    with tempfile.TemporaryDirectory(prefix="evonas-") as folder, calm(), refusing("calibrated"):
        file = Path(folder) / "model.onnx"
        onnx.save(model, file)
        calibrator = create_calibrator(
            file,
            list(OPERATIONS),
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=getattr(CalibrationMethod, kind),
            extra_options=options,
        )
        for start in range(0, len(images) - size + 1, size):
            calibrator.collect_data(Reader(images[start : start + size]))  # all at once would be all in memory
        ranges = calibrator.compute_data()
    _cut_below_hard_swish(model, ranges)
    return ranges


def _cut_below_hard_swish(model: onnx.ModelProto, ranges: Any) -> None:
    """Let ranges of what HardSwish alone reads begin at -3, below which it gives 0: all levels are for what matters."""
    takers: dict[str, set[str]] = {value.name: {"output"} for value in model.graph.output}
    for node in model.graph.node:
        for name in node.input:
            takers.setdefault(name, set()).add(node.op_type)
    for name, kinds in takers.items():
        if kinds == {"HardSwish"} and name in ranges.data:
            found = ranges.data[name]
            found.lowest = np.maximum(found.lowest, np.asarray(HARD_SWISH_ZERO, dtype=found.lowest.dtype))


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Turn any error into an `ExportError` of one line.

    Args:
        what: What the model could not be.
    """
    try:
        yield
    except Exception as error:
        cause = " ".join(str(error).split())[:240] or type(error).__name__
        raise ExportError(f"The model could not be {what}: {cause}; deploy without --quantize") from error


@contextmanager
def calm() -> Iterator[None]:
    """Hold back what onnxruntime's quantizer prints, and advice that it logs to the root logger."""
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
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        root.removeFilter(theirs)
        if guard is not None:
            root.removeHandler(guard)
