"""Calibration of a deployed classifier on its test images, before and after a temperature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from evonas.tasks.calibration import (
    BINS,
    bootstrap_interval,
    brier_score,
    classwise_error,
    expected_error,
    harmonic_score,
    kde_error,
    kernel_error,
    ks_error,
    log_loss,
    maximum_error,
    reliability_bins,
)
from evonas.tasks.temperature import cross_calibrated, softmax

__all__ = ["CALIBRATION_MEASURES", "CalibrationMeasure", "calibration_content"]


class CalibrationMeasure(NamedTuple):
    """A measure of calibration as the table of trust has it.

    Attributes:
        name: Its key in ``card.json``.
        title: What it is called.
        measure: Of probabilities (n, K) and targets (n,).
        sampled: Whether it has a bootstrap interval; each deployment takes the time for the main ones.
    """

    name: str
    title: str
    measure: Callable[[np.ndarray, np.ndarray], float]
    sampled: bool = False


def _of_confidence(measure: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[np.ndarray, np.ndarray], float]:
    """Return a measure of confidence and right answers as one of probabilities and targets."""

    def measured(probabilities: np.ndarray, targets: np.ndarray) -> float:
        return measure(probabilities.max(1), probabilities.argmax(1) == targets)

    return measured


def _harmonic(probabilities: np.ndarray, targets: np.ndarray) -> float:
    right = probabilities.argmax(1) == targets
    return harmonic_score(float(right.mean()), expected_error(probabilities.max(1), right))


_by_mass = partial(expected_error, binning="mass")

CALIBRATION_MEASURES = (
    CalibrationMeasure("ece", f"ECE, {BINS} bins of equal width", _of_confidence(expected_error), True),
    CalibrationMeasure("ece_mass", f"ECE, {BINS} bins of equally many images", _of_confidence(_by_mass), True),
    CalibrationMeasure("classwise", f"ECE of each class, {BINS} bins, their mean", classwise_error),
    CalibrationMeasure("mce", "MCE, the worst of these bins", _of_confidence(maximum_error)),
    CalibrationMeasure("ks", "KS, the largest cumulative gap", _of_confidence(ks_error)),
    CalibrationMeasure("kde", "ECE by kernel densities", _of_confidence(kde_error)),
    CalibrationMeasure("mmce", "MMCE, by a kernel of confidences", _of_confidence(kernel_error)),
    CalibrationMeasure("nll", "negative log-likelihood, nats", log_loss, True),
    CalibrationMeasure("brier", "Brier score, 0 to 2", brier_score, True),
    CalibrationMeasure("hcs", "harmonic mean of accuracy and 1 - ECE (more is better)", _harmonic),
)
"""Measures of the table, in order."""


def calibration_content(
    logits: np.ndarray,
    targets: np.ndarray,
    classes: Sequence[str],
    *,
    temperature: float | None,
    fitted_on: int,
    folded: bool,
    seed: int,
) -> dict[str, Any]:
    """Return what is known of a classifier's calibration, as JSON holds it.

    Args:
        logits: Of the ONNX file on the test images, without a temperature, shape (n, K).
        targets: Shape (n,).
        classes: Names of the K classes.
        temperature: Fitted on validation images that were not trained on; None: there are none, and each half of the
            test images is judged at the temperature of the other.
        fitted_on: How many images it was fitted on.
        folded: Whether the file divides its logits by it.
        seed: Of the bootstrap samples.
    """
    before = softmax(logits)
    after = cross_calibrated(logits, targets) if temperature is None else softmax(logits / temperature)
    sides = {"before": before, "after": after}
    rows = [
        {"name": one.name, "title": one.title}
        | {side: _measured(one, values, targets, seed) for side, values in sides.items()}
        for one in CALIBRATION_MEASURES
    ]
    counts = np.bincount(targets, minlength=len(classes))
    return {
        "bins": BINS,
        "temperature": temperature,
        "fitted_on": fitted_on,
        "folded": folded,
        "rows": rows,
        "absent": [name for name, count in zip(classes, counts, strict=True) if not count],
        "reliability": {side: _bins(values, targets) for side, values in sides.items()},
    }


def _measured(one: CalibrationMeasure, probabilities: np.ndarray, targets: np.ndarray, seed: int) -> dict[str, Any]:
    value = one.measure(probabilities, targets)
    if not one.sampled:
        return {"value": value, "low": None, "high": None}
    low, high = bootstrap_interval(one.measure, probabilities, targets, seed)
    return {"value": value, "low": low, "high": high}


def _bins(probabilities: np.ndarray, targets: np.ndarray) -> list[dict[str, float]]:
    """Return the bins of the reliability diagram."""
    found = reliability_bins(probabilities.max(1), probabilities.argmax(1) == targets)
    columns = zip(found.counts, found.confidence, found.accuracy, strict=True)
    return [{"images": int(n), "confidence": float(c), "accuracy": float(a)} for n, c, a in columns]
