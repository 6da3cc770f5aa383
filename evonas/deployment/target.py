"""Target of a deployment: its batch, its operations, and what the target's own checker says of the file."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import onnx

from evonas.errors import ExportError
from evonas.runtime import logits

TargetName = Literal["cpu", "mobile", "tensorrt", "openvino"]
TARGETS: tuple[TargetName, ...] = get_args(TargetName)
_COMMON = frozenset(
    (
        "Add", "AveragePool", "Cast", "Clip", "Concat", "ConstantOfShape", "Conv", "Div", "Flatten", "Gemm",
        "GlobalAveragePool", "HardSigmoid", "HardSwish", "Identity", "MatMul", "MaxPool", "Mul", "Pad", "Relu",
        "Reshape", "Shape", "Sigmoid", "Slice", "Sub", "Transpose",
    )
)  # fmt: skip
_INTEGERS = frozenset(("QuantizeLinear", "DequantizeLinear"))
_MOST_LINES = 20


@dataclass(frozen=True)
class Target:
    """Demands of a target on a model.

    Attributes:
        name: As `--target` takes it.
        dynamic_batch: Whether it takes models whose batch is open.
        operators: Operations of ONNX that it is known to take; others are refused by name. None: all that onnxruntime
            takes.
        forms: Precisions that it takes.
        reason: Why it does not take the others.
        newest_opset: Newest operator set that it reads; None: any.
        check: What its own checker says of a file, as lines; None: it has none that could be called here.
    """

    name: TargetName
    dynamic_batch: bool
    operators: frozenset[str] | None = None
    forms: tuple[str, ...] = ("float32", "fp16", "int8-weights", "int8")
    reason: str = ""
    newest_opset: int | None = None
    check: Callable[[Path, np.ndarray], list[str]] | None = None

    def refuse(self, model: onnx.ModelProto, precision: str) -> None:
        """Raise `ExportError` where the target does not take a model.

        Args:
            model: The model.
            precision: Of it.
        """
        self.refuse_precision(precision)
        used = {node.op_type for node in model.graph.node}
        missing = sorted(used - self.operators) if self.operators is not None else []
        if missing:
            raise ExportError(
                f"{self.name} is not known to take {', '.join(missing)}: use another --opset, or --target cpu"
            )

    def refuse_precision(self, precision: str) -> None:
        """Raise `ExportError` where the target does not take a precision."""
        if precision not in self.forms:
            raise ExportError(f"{self.name} does not take {precision}: {self.reason}; use --quantize {self.forms[-1]}")

    def refuse_preprocessing(self) -> None:
        """Raise `ExportError` where the target does not take preprocessing inside the model, which computes sizes."""
        missing = sorted({"Range", "Shape"} - self.operators) if self.operators is not None else []
        if missing:
            raise ExportError(
                f"{self.name} is not known to take {', '.join(missing)}, which --preprocessing inside needs: deploy "
                "with the preprocessing outside, or use --target cpu"
            )

    def report(self, file: Path, images: np.ndarray) -> dict[str, Any]:
        """Return what a card says of a model for this target: batch, operations, and its own checker's lines.

        Args:
            file: The model.
            images: As it takes them, one or more.

        Raises:
            ExportError: The target's own reader does not take it.
        """
        model = onnx.load(file)
        if self.check is None:
            lines = [f"{self.name} has no checker that runs without it: not checked by its own"]
        else:
            lines = self.check(file, images[:1])
        return {
            "name": self.name,
            "batch": "dynamic" if not model.graph.input[0].type.tensor_type.shape.dim[0].dim_value else "fixed",
            "operators": sorted({node.op_type for node in model.graph.node}),
            "checks": lines,
        }


def check_onnxruntime(file: Path, image: np.ndarray) -> list[str]:
    """Return that onnxruntime loads and runs a file with one image, having done it.

    Raises:
        ExportError: It does not.
    """
    logits(file, image)
    return ["onnxruntime loads and runs it"]


def check_mobile(file: Path, image: np.ndarray) -> list[str]:
    """Return what onnxruntime's check of usability on mobile devices says: what NNAPI and CoreML would run."""
    from onnxruntime.tools.mobile_helpers.usability_checker import analyze_model

    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.extend(line.strip() for line in record.getMessage().splitlines() if line.strip())

    logger = logging.Logger("evonas.mobile", logging.INFO)
    logger.addHandler(Kept())
    good = analyze_model(file, skip_optimize=False, logger=logger)
    words = (
        "NNAPI or CoreML may run it well" if good else "neither NNAPI nor CoreML would run it well, its processor would"
    )
    return [f"onnxruntime's check of usability on mobile devices: {words}", *lines[:_MOST_LINES]]


def check_openvino(file: Path, image: np.ndarray) -> list[str]:
    """Return what OpenVINO's own reader makes of a file: that it compiles it, and how far its outputs are off.

    Raises:
        ExportError: It is installed and cannot read or run the file.
    """
    if importlib.util.find_spec("openvino") is None:
        return ["OpenVINO is not installed: not checked by its own reader (pip install openvino, and deploy again)"]
    import openvino  # type: ignore[import-not-found]  # no dependency

    try:
        core = openvino.Core()
        compiled = core.compile_model(core.read_model(str(file)), "CPU")
        theirs = np.asarray(compiled({0: image})[compiled.output(0)])
    except Exception as error:
        raise ExportError(f"OpenVINO cannot read {file.name}: {' '.join(str(error).split())[:240]}") from error
    off = float(np.abs(theirs - logits(file, image)).max())
    return [
        f"OpenVINO {openvino.__version__} reads and runs it; outputs differ from onnxruntime's by at most {off:.2g}"
    ]


TARGET: dict[TargetName, Target] = {
    "cpu": Target("cpu", True, check=check_onnxruntime),
    "mobile": Target("mobile", False, check=check_mobile),
    "tensorrt": Target(
        "tensorrt",
        False,
        operators=_COMMON,
        forms=("float32", "fp16"),
        reason="it wants signed activations with zero in the middle, and makes its own 8 bits from a float model",
        newest_opset=22,
    ),
    "openvino": Target("openvino", True, operators=_COMMON | _INTEGERS, check=check_openvino),
}
"""By name."""
