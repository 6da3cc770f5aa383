"""Deployment of a member: its files, figures and origins, and their summary."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from evonas.deployment.check import Figures
from evonas.deployment.compression.variant import Compression
from evonas.deployment.trained import Trained
from evonas.deployment.trust.words import trust_lines

MODEL = "model.onnx"
VARIANTS = "variants"
"""Folder of the further forms of a model that ``--quantize auto`` keeps."""


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
        float_figures: Of the float32 model that one of fewer bits was made from, measured beside it; None: it is that.
        precision: Of ``model.onnx``: ``float32``, ``fp16`` and ``int8-weights`` (stored so, computed with in float32),
            or ``int8``.
        compression: All forms that were tried; None: float32 alone was asked for.
        others: Figures of the further files that were written, by path in the folder.
        opset: ONNX operator set.
        dynamic_batch: Whether the batch is open; else it is 1.
        measure: What `Figures.accuracy` is: ``accuracy``, or the primary measure of another task.
        direction: Whether more or less of it is better.
        classes: What `ClassReport` reads of the ONNX model on the test part; None of another task.
        skipped: Test images that could not be decoded, in a sentence; "" where there are none.
        measured_on: Device of the latencies, in words.
        preprocessing: What a photo becomes: content of ``preprocess.json``.
        target: What it was deployed to: batch, operations, and what the target's own checker said.
        trust: Content of ``card.json`` under ``trust``; empty: no table was asked for, or it is no classifier.
        check: Outputs on images of noise, by which `verify_folder` knows the file again.
    """

    folder: Path
    run: Path
    selection: str
    architecture: str
    trained: Trained | None
    weights: str
    figures: Figures
    float_figures: Figures | None
    opset: int
    dynamic_batch: bool
    measured_on: str
    precision: str = "float32"
    compression: Compression | None = None
    others: Mapping[str, Figures] = field(default_factory=dict)
    measure: str = "accuracy"
    direction: Literal["max", "min"] = "max"
    classes: Mapping[str, Any] | None = None
    classifies: bool = True
    skipped: str = ""
    preprocessing: dict[str, Any] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)
    check: Mapping[str, Any] = field(default_factory=dict)
    trust: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.folder / MODEL

    @property
    def calibration(self) -> int:
        """Images that ranges were measured on."""
        return 0 if self.compression is None else self.compression.calibration

    def in_words(self, value: float) -> str:
        """Return a test accuracy in percent; another task's measure as it is."""
        return f"{100 * value:.2f} %" if self.measure == "accuracy" else f"{value:.4f}"

    @property
    def output(self) -> str:
        """What one of the model's outputs is, in words."""
        return "a logit" if self.classifies else "a value"

    @property
    def drop(self) -> float | None:
        """What fewer bits cost, as `cost_of_rounding` has it; None for float32."""
        before, after = self.float_figures, self.figures
        if before is None:
            return None
        return cost_of_rounding(self.measure, self.direction, before.accuracy, after.accuracy, after.images)


def _same_classes(figures: Figures) -> str:
    """Return how many classes are the same, as a part of a sentence."""
    return f", the same class but for {figures.ties} ties" if figures.ties else ", the same class on each"


def points(before: float, after: float, images: int) -> float:
    """Return the fall of an accuracy in percentage points, exact where both are whole images over their number.

    Args:
        before: In [0, 1].
        after: Likewise, on the same images.
        images: How many these are.
    """
    counts = [before * images, after * images]
    whole = [round(count) for count in counts]
    # Of a task whose images do not count alike they are no whole images.
    near = all(abs(count - one) < 1e-6 for count, one in zip(counts, whole, strict=True))
    return 100 * (whole[0] - whole[1]) / images if near else 100 * (before - after)


def cost_of_rounding(measure: str, direction: Literal["max", "min"], before: float, after: float, images: int) -> float:
    """Return what fewer bits cost of a measure, below 0 where it gains: percentage points of accuracy, else per cent.

    Args:
        measure: Its name.
        direction: Whether more or less of it is better.
        before: Of the float32 model.
        after: Of the model of fewer bits, on the same images; infinitely worse than a float32 model without error.
        images: How many these are.
    """
    if measure == "accuracy":
        return points(before, after, images)
    worse = before - after if direction == "max" else after - before
    if before == 0:
        return 0.0 if worse == 0 else math.copysign(math.inf, worse)
    return 100 * worse / abs(before)


def words_of_cost(precision: str, measure: str, cost: float) -> str:
    """Return in words what a precision costs."""
    if measure == "accuracy":
        return f"{precision} costs {cost:.2f} points of accuracy"
    return f"{precision} makes {measure} {abs(cost):.2f} % {'better' if cost < 0 else 'worse'}"


def deployment_summary(deployment: Deployment) -> list[str]:
    """Return what was deployed, how far to trust it, and what to type next, as lines for people."""
    figures, before = deployment.figures, deployment.float_figures
    skipped = [f"{deployment.skipped}."] if deployment.skipped else []
    batch = "dynamic batch" if deployment.dynamic_batch else "batch 1"
    lines = [
        f"{deployment.model}: {deployment.precision}, {figures.size:,} bytes, opset {deployment.opset}, {batch}",
        f"Weights {deployment.weights}.",
        f"Test {deployment.measure} of the ONNX file: {deployment.in_words(figures.accuracy)} on {figures.images:,} "
        f"images (torch: {deployment.in_words(figures.torch_accuracy)}).",
        *skipped,
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
            f"{words_of_cost(deployment.precision, deployment.measure, deployment.drop)} "
            f"({deployment.in_words(before.accuracy)} before){same}. {before.size:,} bytes and "
            f"{before.latency.median_ms:.3g} ms before."
        )
    lines += trust_lines(deployment.trust) if deployment.trust else []
    latency = figures.latency
    lines.append(
        f"Latency: median {latency.median_ms:.3g} ms, MAD {latency.mad_ms:.2g} ms over {latency.repeats} calls on "
        f"{deployment.measured_on}."
    )
    if deployment.precision == "int8" and before is not None and latency.median_ms > before.latency.median_ms:
        lines.append("int8 is slower than float32 on this device: a network this small spends more on conversions.")
    lines += _tried(deployment)
    if deployment.target.get("checks"):
        lines.append(f"Target {deployment.target['name']}: {deployment.target['checks'][0]}.")
    if figures.peak_memory:
        lines.append(
            f"Peak memory of a process with onnxruntime alone: {figures.peak_memory / 1e6:.0f} MB, "
            f"{figures.own_memory / 1e6:.1f} MB of it for this model."
        )
    if deployment.trained is None:
        run, member = shlex.quote(str(deployment.run)), shlex.quote(deployment.selection)
        lines += ["Next:", f"  evonas train {run} --select {member}   (then deploy again)"]
    else:
        lines.append(f"How to run it stands in {deployment.folder / 'README.md'}; try it on photos:")
        lines.append(f"  evonas predict {shlex.quote(str(deployment.folder))} PHOTO...")
    return lines


def _tried(deployment: Deployment) -> list[str]:
    """Return which forms were tried and kept, as lines."""
    tried = deployment.compression
    if tried is None:
        return []
    lines = [
        f"Chosen among {len(tried.variants)} forms, calibrated on {tried.calibration} validation images and compared "
        f"on {tried.compared} others: {tried.chosen.name}. All stand in {deployment.folder / 'README.md'}."
    ]
    for file, figures in deployment.others.items():
        lines.append(
            f"Also kept: {file}, {figures.size:,} bytes, {figures.latency.median_ms:.3g} ms, test "
            f"{deployment.measure} {deployment.in_words(figures.accuracy)}."
        )
    return [*lines, *(f"{note}." for note in tried.notes)]
