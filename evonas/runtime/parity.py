"""Parity of an ONNX model with the torch module it came from, and its accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from evonas.errors import DataError, ExportError
from evonas.runtime.modes import device_of, evaluating
from evonas.runtime.session import Model, session

if TYPE_CHECKING:
    from torch import Tensor, nn

TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Parity:
    """How an ONNX model's logits compare with torch's over the same images.

    Attributes:
        max_abs_difference: Largest absolute difference of any logit; NaN where either side is not finite.
        agreement: Share of images with the same arg-max, 0 to 1.
        predictions: Arg-max of the ONNX model's logits, int64, shape (n,).
        logits: The ONNX model's logits, shape (n, classes).
    """

    max_abs_difference: float
    agreement: float
    predictions: np.ndarray
    logits: np.ndarray

    def require(self, *, tolerance: float = TOLERANCE, classes: bool = True) -> None:
        """Raise unless the two agree.

        Args:
            tolerance: Largest absolute difference allowed.
            classes: Whether outputs are logits, whose arg-max must be the same; else they are values.

        Raises:
            ExportError: The difference exceeds the tolerance or is NaN, or one arg-max differs.
        """
        if self.max_abs_difference <= tolerance and (self.agreement == 1.0 or not classes):
            return
        if not classes:
            raise ExportError(
                f"Expected the ONNX model to agree with torch within {tolerance:g}, got a difference of "
                f"{self.max_abs_difference:.3g}: do not use this model"
            )
        differing = round((1.0 - self.agreement) * len(self.predictions))
        raise ExportError(
            f"Expected the ONNX model to agree with torch within {tolerance:g} and on every class, got a "
            f"difference of {self.max_abs_difference:.3g} and {differing} of {len(self.predictions)} images "
            "classified otherwise: do not use this model"
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

    ours = logits(model, images, batch=batch)
    place = device_of(module)
    with evaluating(module), torch.inference_mode():
        parts = [module(part.to(place)).float().cpu().numpy() for part in torch.split(images, batch)]
    theirs = np.concatenate(parts)
    if ours.shape != theirs.shape:
        raise ExportError(
            f"Expected logits of shape {theirs.shape} as torch's, got {ours.shape}: another model's file?"
        )
    predictions = ours.argmax(axis=1)
    finite = bool(np.isfinite(ours).all() and np.isfinite(theirs).all())
    return Parity(
        max_abs_difference=float(np.abs(ours - theirs).max()) if finite else float("nan"),
        agreement=float((predictions == theirs.argmax(axis=1)).mean()),
        predictions=predictions,
        logits=ours,
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
