"""Best plain accuracy that a search has seen, beside what always answering the most frequent class would give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["BestAccuracy", "clearest", "majority_share"]

ERRORS = 2.0
"""Standard errors of counting by which an accuracy must lie beyond the majority class."""


@dataclass(frozen=True)
class BestAccuracy:
    """Best of some plain accuracies, all counted on the same images.

    Attributes:
        best: In [0, 1].
        majority: Share of the images that are of the most frequent class.
        images: How many they are, at least 1.
        of: What it is the accuracy of, in words.
    """

    best: float
    majority: float
    images: int
    of: str

    @property
    def error(self) -> float:
        """Standard error that counting on so few images leaves of the majority class's share."""
        return float((self.majority * (1 - self.majority) / self.images) ** 0.5)

    @property
    def bar(self) -> float:
        """Accuracy above which something has been learned."""
        return self.majority + ERRORS * self.error

    @property
    def learned(self) -> bool:
        """Whether it lies beyond the bar."""
        return self.best > self.bar

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> BestAccuracy | None:
        """What a run's manifest holds; None where no plain accuracy is known."""
        held = manifest.get("acc_best")
        return None if not held else cls(held["best"], held["majority"], held["images"], held["of"])


def majority_share(labels: Any) -> float:
    """Share of labels, integers of shape ``(n,)``, n >= 1, that are of the most frequent class."""
    counts = np.unique(np.asarray(labels), return_counts=True)[1]
    return float(counts.max() / counts.sum())


def clearest(found: Iterable[BestAccuracy]) -> BestAccuracy | None:
    """Of best accuracies on several sets of images the one farthest beyond its bar; None of none."""
    return max(found, key=lambda one: one.best - one.bar, default=None)
