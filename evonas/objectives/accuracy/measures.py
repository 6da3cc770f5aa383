"""Measures of a task that is no classification, by weight sharing: what the supernet says of a path."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.data.part import PartName
from evonas.errors import SettingsError
from evonas.objectives.accuracy.accuracy import KEPT
from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import Candidate
from evonas.supernet import PathEvaluator
from evonas.tasks import make_task

NORM_IMAGES = 512
"""Images that norms are estimated on, as for accuracy."""


class MeasureEvaluator(Evaluator):
    """What a task measures of a path with the supernet's weights, such as RMSE, on one part of the data.

    Batch-norm statistics are estimated anew for every path; the result depends on nothing evaluated before.

    Args:
        context: Data, and a trained supernet.
        name: The objective asked for: a measure of the data's task.
        part: ``"search"``, or ``"report"`` for reports.

    Raises:
        SettingsError: No supernet, no data, or data of a task that does not measure this.
    """

    def __init__(self, context: Context, name: str, part: PartName = "search") -> None:
        if context.supernet is None or context.data is None:
            raise SettingsError(f"The objective '{name}' needs data and a trained supernet, got neither or one")
        task = make_task(context.data)
        if name not in [measure.name for measure in task.measures]:
            raise SettingsError(
                f"The objective '{name}' is no measure of {task.title}, which '{context.data.name}' is for: use "
                f"'{task.objective}'"
            )
        # The one asked for comes first: it is what workers name their jobs by.
        measures = sorted(task.measures, key=lambda measure: measure.name != name)
        self.objectives = tuple(Objective(m.name, m.unit, m.direction) for m in measures)
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
