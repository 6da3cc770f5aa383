"""One form of a model with its figures, and all that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import onnx

from evonas.pareto.dominance import first_front

Precision = Literal["float32", "fp16", "int8-weights", "int8"]


@dataclass(frozen=True, eq=False)
class Variant:
    """One form of a model.

    Attributes:
        name: Such as ``int8, ends in float, entropy, biases corrected``; the first word is the precision.
        precision: Of weights and arithmetic.
        structure: What decides its size and speed: variants of one structure differ in their numbers alone.
        model: The ONNX model.
        score: Primary measure on the images compared on.
        distance: Root mean square difference of its outputs there from float32's, in units of their standard deviation;
            of a fine-tuned form, from those of the fine-tuned network in float32.
        size: Bytes of the file.
        latency: Median of a call with one image, milliseconds; 0: not measured yet.
        noise: Median absolute deviation of that, milliseconds.
        kept: Whether it was written.
    """

    name: str
    precision: Precision
    structure: str
    model: onnx.ModelProto
    score: float
    distance: float
    size: int
    latency: float = 0.0
    noise: float = 0.0
    kept: bool = False

    @property
    def file_name(self) -> str:
        """Name of its file: one for each structure, since no two of one are kept."""
        return f"{self.structure.replace(', ', '-').replace(' ', '-')}.onnx"

    def row(self) -> dict[str, Any]:
        """Return its figures as plain data."""
        return {
            "name": self.name,
            "precision": self.precision,
            "score": self.score,
            "distance": self.distance,
            "size": self.size,
            "latency_ms": self.latency,
            "kept": self.kept,
        }


@dataclass(frozen=True, eq=False)
class Compression:
    """All forms that were tried, and those that are kept.

    Attributes:
        variants: All, float32 first.
        chosen: What ``model.onnx`` becomes.
        others: Further ones on the front of score, size and latency; float32 too where it is on it.
        calibration: Images that ranges were measured on.
        compared: Images that variants were compared on.
        notes: What a reader must know of the choice, as sentences.
    """

    variants: tuple[Variant, ...]
    chosen: Variant
    others: tuple[Variant, ...] = ()
    calibration: int = 0
    compared: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def float32(self) -> Variant:
        """The model that the others were made from."""
        return self.variants[0]

    def withdrawn(self, note: str) -> Compression:
        """Return the same with float32 chosen and nothing else kept, and a note that says why."""
        variants = tuple(replace(variant, kept=i == 0) for i, variant in enumerate(self.variants))
        return replace(self, variants=variants, chosen=variants[0], others=(), notes=(*self.notes, note))

    def without(self, variant: Variant, note: str) -> Compression:
        """Return the same with one of the others not kept, and a note that says why."""
        variants = tuple(replace(v, kept=False) if v.name == variant.name else v for v in self.variants)
        others = tuple(v for v in self.others if v is not variant)
        return replace(self, variants=variants, others=others, notes=(*self.notes, note))


def front(variants: Sequence[Variant], direction: Literal["max", "min"]) -> list[Variant]:
    """Return the variants that no other is at least as good as in score, size and latency; float32 must be first.

    A latency nearer to float32's than noise explains counts as equal to it: the form of stored weights does not make
    arithmetic faster.
    """
    rows = np.array([figures(variant, variants[0], direction) for variant in variants])
    return [variants[i] for i in first_front(rows)]


def figures(variant: Variant, single: Variant, direction: Literal["max", "min"]) -> tuple[float, float, float]:
    """Return score, size and latency of a variant in the sense that less is better, noise taken out.

    Args:
        variant: The variant.
        single: The float32 model.
        direction: Whether more or less of the score is better.
    """
    noise = max(MADS * max(variant.noise, single.noise), EQUAL * single.latency)
    latency = single.latency if abs(variant.latency - single.latency) <= noise else variant.latency
    return (-variant.score if direction == "max" else variant.score), float(variant.size), latency


def pays(variant: Variant, single: Variant, direction: Literal["max", "min"]) -> bool:
    """Return whether a variant is better than float32 in any figure."""
    ours, theirs = figures(variant, single, direction), figures(single, single, direction)
    return any(our < their for our, their in zip(ours, theirs, strict=True))


def saving(variant: Variant, single: Variant, direction: Literal["max", "min"]) -> float:
    """Return what a variant takes of float32's size and latency: the geometric mean of both shares."""
    _, size, latency = figures(variant, single, direction)
    return float(np.sqrt(size / single.size * (latency / single.latency)))


def of_one_speed(variants: Sequence[Variant]) -> list[Variant]:
    """Return variants whose latency and noise are the median over those of their structure."""
    groups: dict[str, list[Variant]] = {}
    for variant in variants:
        groups.setdefault(variant.structure, []).append(variant)
    pooled = {
        name: (float(np.median([v.latency for v in group])), float(np.median([v.noise for v in group])))
        for name, group in groups.items()
    }
    return [replace(v, latency=pooled[v.structure][0], noise=pooled[v.structure][1]) for v in variants]


MADS = 2
"""Median absolute deviations by which latencies may differ and count as equal."""
EQUAL = 0.03
"""Share of float32's latency likewise."""
