"""Robust accuracy as the option ``estimator`` asks for."""

from __future__ import annotations

from dataclasses import replace

from evonas.data.part import PartName
from evonas.objectives.accuracy.low_fidelity import TrainingEvaluator, trains
from evonas.objectives.contract import Context, Evaluator
from evonas.objectives.robust.evaluator import RobustEvaluator, refuse_without_classes

__all__ = ["robust_evaluator"]


def robust_evaluator(context: Context, name: str, part: PartName = "search") -> Evaluator:
    """Return what estimates robust accuracy: of a path of the supernet, or after a short training.

    A training is that of `TrainingEvaluator`, seed and weights alike; accuracy's own is another, so that each
    candidate is trained once for accuracy and once for each robust objective.

    Args:
        context: Data, and what the estimator needs in addition.
        name: Such as ``robust:pgd@4/255x10``.
        part: ``"search"``, or ``"report"`` for reports.

    Raises:
        SettingsError: No data, data without classes, or a name that nothing reads.
        MissingExtraError: What it needs is not installed.
    """
    return TrainedRobustEvaluator(context, name, part) if trains(context) else RobustEvaluator(context, name, part)


class TrainedRobustEvaluator(RobustEvaluator):
    """Robust accuracy after a few epochs of training; arguments and errors as `robust_evaluator` has them."""

    def __init__(self, context: Context, name: str, part: PartName = "search") -> None:
        if context.data is not None:
            refuse_without_classes(context.data, name)
        training = TrainingEvaluator(context, part)
        super().__init__(context, name, part, training.network, training.fingerprint)
        self._supernet = None if context.supernet is None else context
        self._name = name

    def shared_weights(self) -> Evaluator | None:
        """Return the robust accuracy of the supernet's path, which predictors see; None where there is no supernet."""
        if self._supernet is None:
            return None
        options = {**self._supernet.options, "estimator": "supernet"}
        return RobustEvaluator(replace(self._supernet, options=options), self._name)
