"""Measures of a task other than accuracy, by weight sharing: those of a path of the supernet."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.data import Dataset
from evonas.data.part import PartName
from evonas.errors import SettingsError, suggest
from evonas.objectives.accuracy.estimators import DEFAULT, read_estimator
from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import Candidate
from evonas.supernet import PathEvaluator
from evonas.supernet.evaluate import KEPT, NORM_IMAGES
from evonas.tasks import make_task
from evonas.tasks.measure import CALIBRATION, RECALL, recall_name

SHOWN = 20
"""Names of classes that an error shows."""


class MeasureEvaluator(Evaluator):
    """Measures of a path with the supernet's weights, such as RMSE, on one part of the data.

    Batch-norm statistics are estimated for every path; the result depends on nothing evaluated before.

    Args:
        context: Data, and a trained supernet.
        name: The objective asked for: a measure of the data's task.
        part: ``"search"``, or ``"report"`` for reports.

    Raises:
        SettingsError: No supernet, no data, data of a task that does not measure this, or an estimator
            of accuracy alone.
    """

    def __init__(self, context: Context, name: str, part: PartName = "search") -> None:
        if context.supernet is None or context.data is None:
            raise SettingsError(f"The objective '{name}' needs data and a trained supernet, got neither or one")
        estimator = str(context.options.get("estimator", "supernet"))
        task = make_task(context.data)
        plain = read_estimator(estimator) in (("supernet", DEFAULT), ("supernet", "accuracy"))
        # Beside accuracy, which it then estimates, measures are read plain.
        if not plain and task.head.answer != "class":
            raise SettingsError(
                f"The estimator '{estimator}' is of accuracy alone: for '{name}' leave it out, or use train:EPOCHS"
            )
        self.objectives = measured_objectives(context.data, name)
        images = context.data.part(part)
        self._path = PathEvaluator(
            context.supernet, context.data, images, norm_images=NORM_IMAGES, memory=KEPT, task=task
        )
        self.fingerprint = fingerprint(
            task.name, 1, part, context.supernet_fingerprint, context.data.fingerprint, context.threads
        )

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return all measures of each candidate's path."""
        return one_by_one(self.objectives, candidates, self._path)


def measured_objectives(data: Dataset, name: str) -> tuple[Objective, ...]:
    """Return what the task of a data set measures, as objectives; first the one asked for, which workers name jobs by.

    Args:
        data: Data set.
        name: The objective asked for.

    Raises:
        SettingsError: It is no measure of the task.
    """
    task = make_task(data)
    if (asked := task.named(name)) is None:
        if name.startswith(RECALL) and task.head.answer == "class":
            names = [recall_name(one) for one in data.classes]
            shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
            raise SettingsError(f"'{data.name}' has no class of '{name}': expected {shown}.{suggest(name, names)}")
        raise SettingsError(
            f"The objective '{name}' is no measure of {task.title}, which '{data.name}' is for: use '{task.objective}'"
        )
    if name.startswith(RECALL) and task.head.answer == "class":
        label = next(k for k, one in enumerate(data.classes) if recall_name(one) == name)
        if not all(bool((part.labels == label).any()) for part in (data.search, data.report)):
            raise SettingsError(
                f"The objective '{name}' needs validation images of its class: '{data.name}' lacks some"
            )
    further = CALIBRATION if asked in CALIBRATION else ()
    measures = dict.fromkeys((asked, *task.measures, *further))
    return tuple(Objective(m.name, m.unit, m.direction) for m in measures)
