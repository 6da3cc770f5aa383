"""Estimates of accuracy, of a measure or of robustness on one part of the data."""

from __future__ import annotations

from evonas.data.part import PartName
from evonas.objectives.accuracy.low_fidelity import accuracy_evaluator, measure_evaluator
from evonas.objectives.contract import Context, Evaluator
from evonas.objectives.robust.estimate import robust_evaluator
from evonas.objectives.robust.names import is_robust

__all__ = ["part_evaluator"]


def part_evaluator(context: Context, name: str, part: PartName) -> Evaluator:
    """Return what estimates an objective of networks' answers on a part, as the option ``estimator`` asks for.

    Args:
        context: Data, and what the estimator needs in addition.
        name: ``acc``, a measure of the data's task, or a robust objective.
        part: ``"search"``, or ``"report"`` for reports.

    Raises:
        SettingsError: See `accuracy_evaluator`, `measure_evaluator` and `robust_evaluator`.
    """
    if name == "acc":
        return accuracy_evaluator(context, part)
    return robust_evaluator(context, name, part) if is_robust(name) else measure_evaluator(context, name, part)
