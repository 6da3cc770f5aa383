"""Trying of all forms of a model, and the choice among them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import onnx

from evonas.deployment.compression.bias import correct_biases
from evonas.deployment.compression.qdq import OLDEST_OPSET, ends, opset_of, quantize
from evonas.deployment.compression.ranges import CALIBRATIONS, FEWEST, Calibration, activation_ranges
from evonas.deployment.compression.variant import (
    Compression,
    Precision,
    Variant,
    figures,
    front,
    of_one_speed,
    pays,
    saving,
)
from evonas.deployment.compression.weights import store_weights
from evonas.errors import ExportError
from evonas.runtime import logits, measure_models

Quantize = Literal["none", "auto", "int8", "int8-weights", "fp16"]
QUANTIZE: tuple[Quantize, ...] = get_args(Quantize)
FORMS: tuple[Precision, ...] = ("fp16", "int8-weights", "int8")
"""Precisions that are tried beside float32."""
Ends = Literal["auto", "int8", "float"]
ENDS: tuple[Ends, ...] = get_args(Ends)
CALIBRATION, COMPARED = 512, 2000
"""Most validation images that ranges are measured on, and that variants are compared on."""
TUNED = "fine-tuned"
"""What names of forms after quantization-aware fine-tuning hold."""
ALIKE = 0.05
"""Difference of savings that is not worth any accuracy."""
REPEATS, SECONDS = 100, 20.0
"""Timed calls of each variant, and the time after which no further round of them begins."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Measure that variants are compared by.

    Attributes:
        calibration: Images that ranges and means are measured on, float32 as the model takes them, (n, c, h, w).
        images: Images that variants are compared on, none of them among the others.
        measure: Primary measure of outputs over `images`.
        name: Its name.
        direction: Whether more or less of it is better.
        cost: What going from one score to another costs, in points or per cent, below 0 where it gains.
    """

    calibration: np.ndarray
    images: np.ndarray
    measure: Callable[[np.ndarray], float]
    name: str
    direction: Literal["max", "min"]
    cost: Callable[[float, float], float]


def halves(images: int) -> tuple[slice, slice]:
    """Return which validation images ranges are measured on, and which variants are compared on.

    Raises:
        ExportError: There are fewer than 64.
    """
    if images < 2 * FEWEST:
        raise ExportError(
            f"Expected at least {2 * FEWEST} validation images, {FEWEST} to calibrate on and {FEWEST} to compare on, "
            f"got {images}: search with more data or a larger --validation, or deploy without --quantize"
        )
    half = images // 2
    return slice(0, min(half, CALIBRATION)), slice(half, min(images, half + COMPARED))


def compress(
    model: onnx.ModelProto,
    comparison: Comparison,
    wanted: Quantize = "auto",
    *,
    max_drop: float = 1.0,
    edges: Ends = "auto",
    tuned: onnx.ModelProto | None = None,
    threads: int = 1,
    forms: Sequence[str] = FORMS,
) -> Compression:
    """Try forms of a model and choose among them by their figures on images that nothing was calibrated on.

    ``auto`` keeps every variant on the front of score, size and latency on this device that costs at most `max_drop`;
    the chosen one is that which takes the least of float32's size and latency. Other values try that precision alone
    and choose likewise among its variants.

    Args:
        model: The float32 model.
        comparison: Images and measure.
        wanted: What to try.
        max_drop: Points of accuracy, or per cent of another measure, that a variant may cost.
        edges: Whether the first and the last layer run on integers; ``auto`` tries both.
        tuned: The same network after quantization-aware fine-tuning; 8-bit variants are made of it too.
        threads: Threads that latency is measured with.
        forms: Precisions that ``auto`` may try.

    Raises:
        ExportError: The only precision that was asked for is no better than float32 in any figure, or it cannot be
            made.
    """
    single = _variant("float32", "float32", "float32", model, comparison, None)
    reference = logits(model, comparison.images)
    of_tuned = reference if tuned is None else logits(tuned, comparison.images)
    made = [single]
    for name, precision, structure, variant in _make(model, comparison, wanted, edges, tuned, forms):
        exact = of_tuned if TUNED in structure else reference
        made.append(_variant(name, precision, structure, variant, comparison, exact))
    if len(made) == 1:
        if wanted in ("none", "auto"):
            return Compression((single,), single)
        raise ExportError(
            f"Expected layers between the first and the last for {wanted} to run on, got none: --edges int8"
        )
    timings = measure_models([v.model for v in made], threads=threads, repeats=REPEATS, seconds=SECONDS)
    timed = [replace(v, latency=t.median_ms, noise=t.mad_ms) for v, t in zip(made, timings, strict=True)]
    variants = of_one_speed(timed)
    best = _best_of_each_structure(variants)
    chosen, others = _choose(best, comparison, wanted, max_drop)
    kept = {id(chosen), *map(id, others)}
    return Compression(
        tuple(replace(v, kept=id(v) in kept) for v in variants),
        replace(chosen, kept=True),
        tuple(replace(v, kept=True) for v in others),
        len(comparison.calibration),
        len(comparison.images),
    )


def _choose(
    best: Sequence[Variant], comparison: Comparison, wanted: Quantize, max_drop: float
) -> tuple[Variant, tuple[Variant, ...]]:
    """Return the chosen variant and the others that are kept."""
    single = best[0]
    if wanted == "auto":
        kept = [v for v in front(best, comparison.direction) if comparison.cost(single.score, v.score) <= max_drop]
        chosen = min(kept, key=lambda v: _preference(v, single, comparison))
        return chosen, tuple(v for v in kept if v is not chosen)
    paying = [v for v in best[1:] if pays(v, single, comparison.direction)]
    if not paying:
        nearest = min(best[1:], key=lambda v: v.distance)
        raise ExportError(_no_better(nearest, single, comparison))
    # None within the bound: the most accurate, which is then measured on the test part.
    within = [v for v in paying if comparison.cost(single.score, v.score) <= max_drop]
    if within:
        return min(within, key=lambda v: _preference(v, single, comparison)), ()
    return min(paying, key=lambda v: (comparison.cost(single.score, v.score), v.distance)), ()


def _preference(variant: Variant, single: Variant, comparison: Comparison) -> tuple[int, float, float]:
    """Return what a choice minimizes: what is taken of size and latency, then the cost, then the distance."""
    steps = round(saving(variant, single, comparison.direction) / ALIKE)
    return steps, comparison.cost(single.score, variant.score), variant.distance


def _no_better(variant: Variant, single: Variant, comparison: Comparison) -> str:
    return (
        f"{variant.precision} is worse than float32 in every figure on this device: {comparison.name} "
        f"{single.score:.4f} to {variant.score:.4f}, {single.size:,} to {variant.size:,} bytes, "
        f"{single.latency:.3g} to {variant.latency:.3g} ms; nothing was written: "
        f"deploy without --quantize, or with --quantize auto"
    )


def _best_of_each_structure(variants: Sequence[Variant]) -> list[Variant]:
    """Return float32, then of each structure the variant whose outputs are nearest to the exact ones."""
    groups: dict[str, list[Variant]] = {}
    for variant in variants:
        groups.setdefault(variant.structure, []).append(variant)
    return [min(group, key=lambda v: v.distance) for group in groups.values()]


def _variant(
    name: str,
    precision: Precision,
    structure: str,
    model: onnx.ModelProto,
    comparison: Comparison,
    reference: np.ndarray | None,
) -> Variant:
    outputs = logits(model, comparison.images)
    if reference is None:
        distance = 0.0
    else:
        spread = float(reference.std()) or 1.0
        distance = float(np.sqrt(np.mean((outputs - reference).astype(np.float64) ** 2))) / spread
    return Variant(name, precision, structure, model, comparison.measure(outputs), distance, model.ByteSize())


_Made = tuple[str, Precision, str, onnx.ModelProto]


def _make(
    model: onnx.ModelProto,
    comparison: Comparison,
    wanted: Quantize,
    edges: Ends,
    tuned: onnx.ModelProto | None,
    forms: Sequence[str],
) -> Iterator[_Made]:
    """Yield variants: name, precision, structure and model."""
    tried = [form for form in FORMS if wanted == form or (wanted == "auto" and form in forms)]
    if "fp16" in tried:
        yield "fp16 weights", "fp16", "fp16", store_weights(model, "fp16")
    if "int8-weights" in tried:
        stored = store_weights(model, "int8")
        yield "int8 weights", "int8-weights", "int8-weights", stored
        corrected = store_weights(correct_biases(model, stored, comparison.calibration), "int8")
        yield "int8 weights, biases corrected", "int8-weights", "int8-weights", corrected
    if "int8" in tried and (wanted == "int8" or opset_of(model) >= OLDEST_OPSET):
        yield from _integers(model, comparison, edges, "")
        if tuned is not None:
            yield from _integers(tuned, comparison, edges, f"{TUNED}, ")


def _integers(model: onnx.ModelProto, comparison: Comparison, edges: Ends, prefix: str) -> Iterator[_Made]:
    """Yield 8-bit variants by structure, calibration and correction of biases."""
    both = {"auto": (False, True), "int8": (False,), "float": (True,)}[edges]
    ranges = {method: activation_ranges(model, comparison.calibration, method) for method in CALIBRATIONS}
    methods: Sequence[Calibration] = CALIBRATIONS
    for floating, method in itertools.product(both, methods):
        keep = ends(model) if floating else []

        def reduce(
            float_model: onnx.ModelProto, keep: list[str] = keep, method: Calibration = method
        ) -> onnx.ModelProto:
            return store_weights(quantize(float_model, ranges=ranges[method], keep=keep), "int8", keep)

        name = f"int8, {prefix}{'ends in float, ' if floating else ''}{method}"
        structure = f"int8, {prefix}{'ends in float' if floating else 'ends too'}"
        reduced = reduce(model)
        if not any(node.op_type == "QuantizeLinear" for node in reduced.graph.node):
            continue  # nothing but ends and gates
        yield name, "int8", structure, reduced
        yield (
            f"{name}, biases corrected",
            "int8",
            structure,
            reduce(correct_biases(model, reduced, comparison.calibration)),
        )


__all__ = [
    "CALIBRATION",
    "COMPARED",
    "ENDS",
    "QUANTIZE",
    "Comparison",
    "Ends",
    "Quantize",
    "compress",
    "figures",
    "halves",
]
