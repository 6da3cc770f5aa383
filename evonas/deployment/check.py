"""Check of an ONNX file: compared with torch on every test image, timed, weighed."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from evonas.data import Part
from evonas.data.lazy_images import LazyImages
from evonas.deployment.isolated_check import Fresh, run_fresh
from evonas.errors import ExportError
from evonas.runtime import Model, Parity, Timing, logits, session
from evonas.runtime.parity import compare_outputs, outputs

FRESH = 2048
"""Images that a fresh process reads of those that are decoded as they are read, which memory may not hold at once."""
CHUNK = 1000
"""Test images that are floats at a time."""


@dataclass(frozen=True)
class Figures:
    """Figures of one ONNX model.

    Attributes:
        accuracy: Of the ONNX model on the test part, in [0, 1]; of another task its primary measure, such as RMSE.
        torch_accuracy: Of the torch network that it came from, likewise.
        images: Test images.
        error: Largest absolute difference of any logit from those of torch in float64.
        torch_error: Likewise of torch in float32.
        agreement: Share of test images with the class that torch in float64 gives, in [0, 1].
        ties: Test images of another class whose logits are nearer than both errors explain.
        latency: Times of single images.
        threads: Threads of that measurement.
        size: Of the file, bytes.
        peak_memory: Of a fresh process with onnxruntime alone, single images, one thread, bytes; 0: not known.
        own_memory: What of it came with the model, bytes.
    """

    accuracy: float
    torch_accuracy: float
    images: int
    error: float
    torch_error: float
    agreement: float
    ties: int
    latency: Timing
    threads: int
    size: int
    peak_memory: int
    own_memory: int


def compare(module: nn.Module, model: Model, part: Part, *, scale: float) -> Parity:
    """Compare a model with the module it came from, in float32 and float64, over a whole part.

    Args:
        module: Takes values in [0, 1]; on the CPU.
        model: Likewise.
        part: uint8 images.
        scale: Value of a pixel that means 1.0.
    """
    opened: onnxruntime.InferenceSession = session(model)
    double = deepcopy(module).double()
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for pixels in torch.split(part.images, CHUNK):
        images = pixels.cpu().float() / scale
        single = outputs(module, images, torch.float32)
        parts.append((logits(opened, images), single, outputs(double, images, torch.float64)))
    return compare_outputs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def load_again(
    file: Path, seen: Parity, part: Part, *, scale: float, tolerance: float | None = None, classes: bool = True
) -> Fresh:
    """Run a written file in a fresh process and hold its logits against those seen here.

    Args:
        file: The ONNX file.
        seen: What was seen here.
        part: Images of that.
        scale: Value of a pixel that means 1.0.
        tolerance: Largest absolute difference allowed instead of what rounding explains.
        classes: Whether the arg-max must be the same, too, but for ties.

    Raises:
        ExportError: It does not run there, or says something else.
    """
    images = part.images[:FRESH] if isinstance(part.images, LazyImages) else part.images
    fresh = run_fresh(file, images.cpu().numpy(), scale=scale)
    before = seen.logits[: len(images)]
    found = compare_outputs(fresh.logits, before, before.astype(np.float64))
    allowed = seen.limit if tolerance is None else tolerance
    if not found.error <= allowed or (classes and found.differing):
        raise ExportError(
            f"Expected a fresh process to get the logits that were seen here, got a difference of "
            f"{found.error:.3g}: do not use this model on this machine"
        )
    return fresh
