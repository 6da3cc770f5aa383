"""What an ONNX file is worth: compared with torch on every test image, timed, weighed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from evonas.data import Part
from evonas.deployment.isolated_check import Fresh, run_fresh
from evonas.errors import ExportError
from evonas.runtime import Model, Parity, Timing, parity, session
from evonas.runtime.parity import TOLERANCE

CHUNK = 1000
"""Test images that are floats at a time."""


@dataclass(frozen=True)
class Figures:
    """Figures of one ONNX model.

    Attributes:
        accuracy: Of the ONNX model on the test part, in [0, 1]; of another task its primary measure, such as RMSE.
        torch_accuracy: Of the torch network that it came from, likewise.
        images: Test images.
        max_abs_difference: Largest absolute difference of any logit from torch's.
        agreement: Share of test images with the same class as torch's, in [0, 1].
        latency: Times of single images.
        threads: Threads of that measurement.
        size: Of the file, bytes.
        peak_memory: Of a fresh process with onnxruntime alone, single images, one thread, bytes; 0: not known.
        own_memory: What of it came with the model, bytes.
    """

    accuracy: float
    torch_accuracy: float
    images: int
    max_abs_difference: float
    agreement: float
    latency: Timing
    threads: int
    size: int
    peak_memory: int
    own_memory: int


def compare(module: nn.Module, model: Model, part: Part, *, scale: float) -> Parity:
    """Compare a model with the module it came from over a whole part.

    Args:
        module: Takes values in [0, 1]; on the CPU.
        model: Likewise.
        part: uint8 images.
        scale: Value of a pixel that means 1.0.
    """
    opened: onnxruntime.InferenceSession = session(model)
    parts = [parity(module, opened, images.cpu().float() / scale) for images in torch.split(part.images, CHUNK)]
    return Parity(
        max_abs_difference=float(np.max([p.max_abs_difference for p in parts])),  # NaN stays NaN
        agreement=float(np.average([p.agreement for p in parts], weights=[len(p.predictions) for p in parts])),
        predictions=np.concatenate([p.predictions for p in parts]),
        logits=np.concatenate([p.logits for p in parts]),
    )


def load_again(
    file: Path, seen: Parity, part: Part, *, scale: float, tolerance: float = TOLERANCE, classes: bool = True
) -> Fresh:
    """Run a written file in a fresh process and hold its logits against those seen here.

    Args:
        file: The ONNX file.
        seen: What was seen here.
        part: Images of that.
        scale: Value of a pixel that means 1.0.
        tolerance: Largest absolute difference allowed.
        classes: Whether the arg-max must be the same, too.

    Raises:
        ExportError: It does not run there, or says something else.
    """
    fresh = run_fresh(file, part.images.cpu().numpy(), scale=scale)
    difference = float(np.abs(fresh.logits - seen.logits).max())
    if not difference <= tolerance or (classes and (fresh.logits.argmax(1) != seen.predictions).any()):
        raise ExportError(
            f"Expected a fresh process to get the logits that were seen here, got a difference of "
            f"{difference:.3g}: do not use this model on this machine"
        )
    return fresh
