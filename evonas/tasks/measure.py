"""Measure: a named number of a task's score; known without importing torch, as objectives are named by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Measure:
    """A named number that a task's score holds.

    Attributes:
        name: Its name, also that of the objective that a search optimizes.
        unit: Its unit, in words.
        direction: Whether more or less is better.
        text: What it is, in half a sentence, for lists of objectives.
    """

    name: str
    unit: str
    direction: Literal["max", "min"]
    text: str = ""


CLASSIFICATION = (
    Measure("accuracy", "fraction of images", "max", "share of images classified as labeled"),
    Measure("loss", "nats", "min", "mean cross-entropy"),
    Measure("probability", "mean of the true class", "max", "mean probability of the true class"),
)
REGRESSION = (
    Measure("rmse", "targets' unit", "min", "root mean squared error of a regression, in the target's unit"),
    Measure("mae", "targets' unit", "min", "mean absolute error of a regression, in the target's unit"),
    Measure("r2", "share of variance", "max", "share of the targets' variance that a regression explains"),
)
