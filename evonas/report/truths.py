"""Truths beside estimates: how what a search estimated compares with what is known better of the same architectures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonas.pareto.correlation import kendall, spearman
from evonas.pareto.objective import Objective
from evonas.report.amounts import is_accuracy, unit_shown
from evonas.report.contents import Contents
from evonas.report.origins import meaning

TRUTHS = ("report", "trained", "measured", "verified")
"""Endings of further numbers that an objective's estimate is compared with."""


def truths(contents: Contents) -> list[dict[str, Any]]:
    """Return how estimates compare with what is known better of the same architectures.

    Returns:
        One mapping per pair: ``estimate`` (its name), ``truth`` (name of the further number), ``meaning``, ``texts``,
        ``estimates`` and ``truths`` (lists), ``units`` of both on screens and ``scales`` that screens multiply by,
        ``noise`` (list or None), ``kendall``, ``spearman`` (None where they are not defined), ``gap`` (mean of truth
        less estimate), ``less`` (name of the estimate in `gap` and `error`), ``error`` (median of the gap's absolute
        value relative to the truth, or None).
    """
    known = dict(contents.known) | {m.architecture: {**m.known} for m in contents.front}
    found = []
    for i, objective in enumerate(contents.objectives):
        estimates = {text: float(v) for text, v in zip(contents.texts, contents.values[:, i], strict=True)}
        estimates |= {member.architecture: member.values[objective.name] for member in contents.front}
        pairs = (_truth(objective, ending, estimates, known) for ending in TRUTHS)
        found += [pair for pair in pairs if pair is not None]
    return found


def _truth(
    objective: Objective, ending: str, estimates: Mapping[str, float], known: Mapping[str, Mapping[str, float]]
) -> dict[str, Any] | None:
    """Return how an objective's estimates compare with one further number; None where no architecture has both."""
    name, plain = f"{objective.name}_{ending}", f"{objective.name}_top1"
    texts = [text for text, notes in known.items() if name in notes and math.isfinite(estimates.get(text, math.nan))]
    if not texts:
        return None
    own = np.array([estimates[text] for text in texts])
    # Like with like: beside plain accuracy of shared weights stands the same, and beside a trained network's accuracy
    # what was predicted of it; only where the search ranks by a score, which is no accuracy, plain accuracy again.
    is_score = not is_accuracy(objective.name, objective.unit)
    smooth = (is_score or ending == "report") and all(plain in known[text] for text in texts)
    near = np.array([known[text][plain] for text in texts]) if smooth else own
    if ending == "report":
        own = near
    true = np.array([known[text][name] for text in texts])
    estimate = plain if smooth and ending == "report" else objective.name
    return {
        "estimate": estimate,
        "less": plain if smooth else objective.name,
        "unit": objective.unit,
        "scales": [100 if is_accuracy(column, objective.unit) else 1 for column in (estimate, name)],
        "units": [unit_shown(column, objective.unit) for column in (estimate, name)],
        "truth": name,
        "meaning": meaning(name),
        "texts": texts,
        "estimates": own.tolist(),
        "truths": true.tolist(),
        "noise": _noise(objective.name, texts, known) if ending == "measured" else None,
        "kendall": finite(kendall(own, true)),
        "spearman": finite(spearman(own, true)),
        "gap": float((true - near).mean()),
        "error": _relative_error(near, true),
    }


def _relative_error(estimates: np.ndarray, truths: np.ndarray) -> float | None:
    """Return the median error relative to the truth, or None where a truth is 0."""
    return float(np.median(np.abs(estimates / truths - 1))) if (truths != 0).all() else None


def _noise(name: str, texts: Sequence[str], known: Mapping[str, Mapping[str, float]]) -> list[float] | None:
    """Return the median absolute deviation of each measurement, or None where one is not known."""
    noise = [known[text].get(f"{name}_mad") for text in texts]
    found = [value for value in noise if value is not None]
    return found if len(found) == len(texts) else None


def finite(value: float | None) -> float | None:
    """Return a number, or None where it is none or not finite: JSON holds no other."""
    return None if value is None or not math.isfinite(value) else float(value)
