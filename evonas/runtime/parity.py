"""Parity of an ONNX model with the torch module it came from, held against float64, and its accuracy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from evonas.errors import DataError, ExportError
from evonas.runtime.modes import device_of, evaluating
from evonas.runtime.session import Model, session

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

TOLERANCE = 1e-4
"""Error that is always allowed, in units of the outputs' root mean square where that is above 1."""
ROUNDINGS = 8
"""Error allowed as a multiple of torch's own in float32."""
SHARE_OF_SPREAD = 1e-3
"""Largest error as a share of the outputs' standard deviation."""
FLOAT_ROUNDING = 1e-6
"""Error in units of the outputs' root mean square that float32 alone makes, whatever their spread."""


@dataclass(frozen=True, eq=False)
class Parity:
    """Distance of an ONNX model and of torch in float32 from torch in float64, over the same images.

    Two computations in float32 differ by their rounding, which grows with depth and with the size of the outputs.
    What is right is known from float64, so that rounding and faults can be distinguished.

    Attributes:
        error: Largest absolute difference of the ONNX model's outputs from float64's; NaN where one is not finite.
        torch_error: Likewise of torch in float32.
        rms: Root mean square of float64's outputs.
        sd: Their standard deviation.
        agreement: Share of images with float64's arg-max, 0 to 1.
        ties: Images of another arg-max whose two outputs are nearer in float64 than both errors explain.
        differing: Images of another arg-max that are no tie.
        predictions: Arg-max of the ONNX model's outputs, int64, shape (n,).
        logits: The ONNX model's outputs, shape (n, classes).
        torch_logits: Those of torch in float32.
    """

    error: float
    torch_error: float
    rms: float
    sd: float
    agreement: float
    ties: int
    differing: int
    predictions: np.ndarray
    logits: np.ndarray
    torch_logits: np.ndarray

    @property
    def limit(self) -> float:
        """Largest error that rounding explains."""
        rounding = max(TOLERANCE * max(1.0, self.rms), ROUNDINGS * self.torch_error)
        return min(rounding, max(SHARE_OF_SPREAD * self.sd, FLOAT_ROUNDING * self.rms))

    def require(self, *, tolerance: float | None = None, classes: bool = True) -> None:
        """Raise unless rounding explains all that differs.

        Args:
            tolerance: Largest error allowed instead of `limit`.
            classes: Whether outputs are logits, whose arg-max must be the same but for ties; else they are values.

        Raises:
            ExportError: The error exceeds what is allowed or is NaN, or an arg-max differs that is no tie.
        """
        allowed = self.limit if tolerance is None else tolerance
        if self.error <= allowed and (self.differing == 0 or not classes):
            return
        found = f"it is off by {self.error:.3g}, where torch in float32 is by {self.torch_error:.3g}"
        if classes:
            found += f", and {self.differing} of {len(self.predictions)} images change class"
        raise ExportError(
            f"Expected the ONNX model within {allowed:.3g} of torch in float64"
            + (" and the same classes but for ties: " if classes else ": ")
            + f"{found}; do not use this model"
        )


def parity(
    module: nn.Module, model: Model | onnxruntime.InferenceSession, images: Tensor, *, batch: int = 256
) -> Parity:
    """Compare a module, in evaluation mode, with its ONNX model over real images.

    Args:
        module: The module that was exported; it is left in the mode it was in.
        model: Path, bytes, model or open session; its first output holds the logits.
        images: What the module takes, float32, shape (n, channels, height, width), n ≥ 1.
        batch: Images per call, 1 or more.

    Raises:
        ExportError: The model cannot run, or its logits have another shape than the module's.
        DataError: There are no images.
    """
    import torch

    return compare_outputs(
        logits(model, images, batch=batch),
        outputs(module, images, torch.float32, batch=batch),
        outputs(module, images, torch.float64, batch=batch),
    )


def outputs(module: nn.Module, images: Tensor, precision: torch.dtype, *, batch: int = 256) -> np.ndarray:
    """Return a module's outputs in evaluation mode, float64 of shape (n, classes).

    Args:
        module: It is left as it was; in another precision a copy computes.
        images: Shape (n, channels, height, width).
        precision: ``torch.float32`` or ``torch.float64``, the module's and the images'.
        batch: Images per call.
    """
    import torch

    if any(tensor.dtype != precision for tensor in module.state_dict().values() if tensor.is_floating_point()):
        module = deepcopy(module).to(precision)
    device = device_of(module)
    with evaluating(module), torch.inference_mode():
        parts = [module(part.to(device, precision)).double().cpu().numpy() for part in torch.split(images, batch)]
    return np.concatenate(parts)


def compare_outputs(ours: np.ndarray, single: np.ndarray, double: np.ndarray) -> Parity:
    """Compare outputs over the same images.

    Args:
        ours: The ONNX model's, shape (n, classes).
        single: Torch's in float32.
        double: Torch's in float64.

    Raises:
        ExportError: The shapes differ.
    """
    if ours.shape != double.shape:
        raise ExportError(
            f"Expected logits of shape {double.shape} as torch's, got {ours.shape}: another model's file?"
        )
    predictions = ours.argmax(axis=1)
    finite = bool(np.isfinite(ours).all() and np.isfinite(single).all() and np.isfinite(double).all())
    error, torch_error = (float(np.abs(x - double).max()) if finite else math.nan for x in (ours, single))
    truth, rows = double.argmax(axis=1), np.arange(len(double))
    other = predictions != truth
    margin = double[rows, truth] - double[rows, predictions]
    ties = other & (margin < 2 * (error + torch_error))
    return Parity(
        error=error,
        torch_error=torch_error,
        rms=float(np.sqrt(np.mean(double**2))),
        sd=float(double.std()),
        agreement=float(1 - other.mean()),
        ties=int(ties.sum()),
        differing=int((other & ~ties).sum()),
        predictions=predictions,
        logits=ours,
        torch_logits=single,
    )


def logits(
    model: Model | onnxruntime.InferenceSession, images: Any, *, batch: int = 256, scale: float | None = None
) -> np.ndarray:
    """Run a model of one input over images and return its first output.

    Args:
        model: Path, bytes, model or open session.
        images: Array or tensor, shape (n, channels, height, width), n ≥ 1.
        batch: Images per call, 1 or more; a model that fixes its batch is called with that one.
        scale: Value that means 1.0: images are divided by it as float32; None passes them as they are.

    Returns:
        Array of shape (n, classes).

    Raises:
        ExportError: The model cannot run on these images.
        DataError: There are no images.
    """
    opened = model if isinstance(model, onnxruntime.InferenceSession) else session(model)
    if len(images) == 0:
        raise DataError("Expected at least one image, got none")
    entry = opened.get_inputs()[0]
    fixed = entry.shape[0] if entry.shape and isinstance(entry.shape[0], int) else None
    outputs = []
    for part in _batches(images, fixed or batch):
        if scale is not None:
            part = part.astype(np.float32) / np.float32(scale)
        missing = (fixed or len(part)) - len(part)
        full = np.concatenate([part, part[-1:].repeat(missing, axis=0)]) if missing else part
        try:
            outputs.append(opened.run(None, {entry.name: full})[0][: len(part)])
        except Exception as error:
            raise ExportError(
                f"Expected images of shape {entry.shape} and {entry.type}, got {full.shape} of {full.dtype}: "
                f"{' '.join(str(error).split())[:240]}"
            ) from error
    return np.concatenate(outputs)


def accuracy(
    model: Model | onnxruntime.InferenceSession,
    images: Any,
    labels: Any,
    *,
    scale: float = 255.0,
    batch: int = 256,
) -> float:
    """Return the share of images that an ONNX model classifies as labeled, 0 to 1.

    Args:
        model: Path, bytes, model or open session that takes values in [0, 1].
        images: uint8 array or tensor, shape (n, channels, height, width), n ≥ 1.
        labels: Integer array or tensor, shape (n,).
        scale: Value of a pixel that means 1.0.
        batch: Images per call, 1 or more.

    Raises:
        ExportError: The model cannot run on these images.
        DataError: There are no images, or not one label per image.
    """
    if len(images) != len(labels):
        raise DataError(f"Expected one label per image, got {len(labels)} labels for {len(images)} images")
    predictions = logits(model, images, batch=batch, scale=scale).argmax(axis=1)
    return float((predictions == _array(labels)).mean())


def _array(values: Any) -> np.ndarray:
    return values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)


def _batches(images: Any, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(images), size):
        yield _array(images[start : start + size])
