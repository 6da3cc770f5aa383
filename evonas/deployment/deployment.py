"""Deployment of a member: its files, figures and origins, and their summary."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evonas.deployment.check import Figures
from evonas.deployment.trained import Trained

MODEL = "model.onnx"


@dataclass(frozen=True)
class Deployment:
    """A deployed member.

    Attributes:
        folder: Holds ``model.onnx``, ``README.md``, ``card.json`` and the files that `load_model` reads.
        run: The run's directory.
        selection: As asked for.
        architecture: Canonical text.
        trained: The training that the weights come from; None where they are the supernet's.
        weights: Where the weights come from, in words.
        figures: Of ``model.onnx``.
        float_figures: Of the float32 model that an int8 one was made from, measured beside it.
        calibration: Images that int8 was calibrated on.
        opset: ONNX operator set.
        dynamic_batch: Whether the batch is open; else it is 1.
        measure: What `Figures.accuracy` is: ``accuracy``, or the primary measure of another task.
        direction: Whether more or less of it is better.
        classes: What `ClassReport` reads of the ONNX model on the test part; None of another task.
        measured_on: Device of the latencies, in words.
    """

    folder: Path
    run: Path
    selection: str
    architecture: str
    trained: Trained | None
    weights: str
    figures: Figures
    float_figures: Figures | None
    calibration: int
    opset: int
    dynamic_batch: bool
    measured_on: str
    measure: str = "accuracy"
    direction: Literal["max", "min"] = "max"
    classes: Mapping[str, Any] | None = None

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.folder / MODEL

    @property
    def precision(self) -> str:
        """``float32`` or ``int8``."""
        return "float32" if self.float_figures is None else "int8"

    @property
    def classifies(self) -> bool:
        """Whether the model's outputs are logits of classes."""
        return self.measure == "accuracy"

    def in_words(self, value: float) -> str:
        """Return a test accuracy in percent; another task's measure as it is."""
        return f"{100 * value:.2f} %" if self.classifies else f"{value:.4f}"

    @property
    def output(self) -> str:
        """What one of the model's outputs is, in words."""
        return "a logit" if self.classifies else "a value"

    @property
    def drop(self) -> float | None:
        """What int8 costs, as `cost_of_int8` has it; None for float32."""
        before, after = self.float_figures, self.figures
        if before is None:
            return None
        return cost_of_int8(self.measure, self.direction, before.accuracy, after.accuracy, after.images)


def _same_classes(figures: Figures) -> str:
    """Return how many classes are the same, as a part of a sentence."""
    return f", the same class but for {figures.ties} ties" if figures.ties else ", the same class on each"


def points(before: float, after: float, images: int) -> float:
    """Return the fall of an accuracy in percentage points, exact: accuracies are whole images over their number.

    Args:
        before: In [0, 1].
        after: Likewise, on the same images.
        images: How many these are.
    """
    return 100 * (round(before * images) - round(after * images)) / images


def cost_of_int8(measure: str, direction: Literal["max", "min"], before: float, after: float, images: int) -> float:
    """Return what int8 costs of a measure, below 0 where it gains: percentage points of accuracy, else per cent.

    Args:
        measure: Its name.
        direction: Whether more or less of it is better.
        before: Of the float32 model.
        after: Of the int8 model, on the same images; infinitely worse than a float32 model without error.
        images: How many these are.
    """
    if measure == "accuracy":
        return points(before, after, images)
    worse = before - after if direction == "max" else after - before
    if before == 0:
        return 0.0 if worse == 0 else math.copysign(math.inf, worse)
    return 100 * worse / abs(before)


def words_of_cost(measure: str, cost: float) -> str:
    """Return what int8 costs in words."""
    if measure == "accuracy":
        return f"int8 costs {cost:.2f} points of accuracy"
    return f"int8 makes {measure} {abs(cost):.2f} % {'better' if cost < 0 else 'worse'}"


def deployment_summary(deployment: Deployment) -> list[str]:
    """Return what was deployed, how far to trust it, and what to type next, as lines for people."""
    figures, before = deployment.figures, deployment.float_figures
    batch = "dynamic batch" if deployment.dynamic_batch else "batch 1"
    lines = [
        f"{deployment.model}: {deployment.precision}, {figures.size:,} bytes, opset {deployment.opset}, {batch}",
        f"Weights {deployment.weights}.",
        f"Test {deployment.measure} of the ONNX file: {deployment.in_words(figures.accuracy)} on {figures.images:,} "
        f"images (torch: {deployment.in_words(figures.torch_accuracy)}).",
    ]
    if before is None:
        lines.append(
            f"Parity: {deployment.output} is off by at most {figures.error:.2g} from float64, where torch's own "
            f"rounding is {figures.torch_error:.2g}, on all {figures.images:,} test images"
            + (_same_classes(figures) if deployment.classifies else "")
            + "; a fresh process with onnxruntime alone agrees."
        )
    else:
        assert deployment.drop is not None
        same = f"; it gives {figures.agreement:.2%} of the test images torch's class" if deployment.classifies else ""
        lines.append(
            f"{words_of_cost(deployment.measure, deployment.drop)} ({deployment.in_words(before.accuracy)} before), "
            f"calibrated on {deployment.calibration} validation images{same}. {before.size:,} bytes and "
            f"{before.latency.median_ms:.3g} ms before."
        )
    latency = figures.latency
    lines.append(
        f"Latency: median {latency.median_ms:.3g} ms, MAD {latency.mad_ms:.2g} ms over {latency.repeats} calls on "
        f"{deployment.measured_on}."
    )
    if before is not None and latency.median_ms > before.latency.median_ms:
        lines.append("int8 is slower than float32 on this device: a network this small spends more on conversions.")
    if figures.peak_memory:
        lines.append(
            f"Peak memory of a process with onnxruntime alone: {figures.peak_memory / 1e6:.0f} MB, "
            f"{figures.own_memory / 1e6:.1f} MB of it for this model."
        )
    if deployment.trained is None:
        lines += [
            "Next:",
            f"  evonas train {deployment.run} --select {shlex.quote(deployment.selection)}   (then deploy again)",
        ]
    else:
        lines.append(f"How to run it stands in {deployment.folder / 'README.md'}")
    return lines
