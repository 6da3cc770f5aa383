"""Measure: a named number of a task's score; known without importing torch, as objectives are named by it."""

from __future__ import annotations

import re
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
BY_CLASS = (
    Measure("balanced_accuracy", "fraction of images of a class", "max", "mean of the classes' recalls"),
    Measure("macro_f1", "mean of the classes", "max", "mean of the classes' F1 scores"),
    Measure("cohen_kappa", "agreement beyond chance", "max", "Cohen's kappa: agreement with the labels beyond chance"),
    Measure("auroc", "area", "max", "area under the ROC curve, the mean of each class against the rest"),
)
"""Measures in which each class counts alike, or chance does not; see `evonas.tasks.class_scores`."""
CALIBRATION = (
    Measure("ece", "probability", "min", "expected calibration error of 15 bins: confidence away from accuracy"),
    Measure("ece_after", "probability", "min", "ece at a temperature fitted on the other half of the images"),
    Measure("nll", "nats", "min", "mean negative log-likelihood of the true class"),
    Measure("brier", "squared probability", "min", "Brier score: squared distance from the labels, 0 to 2"),
    Measure("hcs", "harmonic mean", "max", "harmonic mean of accuracy and 1 - ece"),
)
"""Measures of how far confidence can be trusted; see `evonas.tasks.calibration`."""
RECALL = "recall:"
"""Beginning of the name of the measure of one class: ``recall:cat``."""
REGRESSION = (
    Measure("rmse", "targets' unit", "min", "root mean squared error of a regression, in the target's unit"),
    Measure("mae", "targets' unit", "min", "mean absolute error of a regression, in the target's unit"),
    Measure("r2", "share of variance", "max", "share of the targets' variance that a regression explains"),
)


def recall_name(name: str) -> str:
    """Return the name of the measure of a class: ``recall:red_fox``; what lists and bounds are cut at is replaced."""
    return RECALL + re.sub(r"[\s,()<>=]+", "_", name)


def recall_measure(name: str) -> Measure | None:
    """Return the measure that ``recall:CLASS`` names; None for another name."""
    if not name.startswith(RECALL) or name == RECALL:
        return None
    return Measure(
        name, "fraction of images of a class", "max", f"share of the images of '{name[len(RECALL) :]}' found"
    )
