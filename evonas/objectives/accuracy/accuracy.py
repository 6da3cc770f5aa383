"""Accuracy by weight sharing: that of a path of the supernet."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from evonas.data.part import PartName
from evonas.errors import SettingsError
from evonas.objectives.accuracy.combined import CombinedEstimator, ZeroCostFeatures
from evonas.objectives.accuracy.estimators import DEFAULT, READ, check_measures, read_estimator
from evonas.objectives.accuracy.main_effects import AdditiveEffects
from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import Architecture, Candidate
from evonas.supernet import PathEvaluator
from evonas.supernet.evaluate import KEPT, NORM_IMAGES
from evonas.tasks import make_task

ACC = Objective("acc", "fraction of images", "max")
TOP1 = Objective("acc_top1", "fraction of images", "max")
ESTIMATES: Mapping[str, Callable[[Mapping[str, float], str], float]] = {
    "accuracy": lambda score, primary: score[primary],
    # The geometric and the arithmetic mean of the true class's probability: a score between 0 and 1 that, unlike
    # a count of images, separates networks that get the same images right.
    "loss": lambda score, primary: math.exp(-score["loss"]),
    "probability": lambda score, primary: score["probability"],
}
"""Estimate -> `acc` of a path, from its score and the name of the task's primary measure. Each is one fixed increasing
function of what it is named after, so that a value depends neither on other architectures nor on the order of
evaluation."""
SMOOTHED, PRIOR = "smoothed", "prior"
"""Estimates that take in other paths (`AdditiveEffects`), and what is known before training (`CombinedEstimator`)."""


class AccuracyEvaluator(Evaluator):
    """Accuracy of a path with the supernet's weights, on the part that the search selects on.

    Batch-norm statistics are estimated for every path; the result depends on nothing evaluated before. All
    estimates are read from the same outputs: none costs more than another, but for the sample that two of them read
    once, and the costs and scores of a prior.

    Args:
        context: Data, and a trained supernet; the option ``estimator``, such as ``supernet:loss``, decides what
            `acc` is; the option ``paths`` holds scores of the sample that were read before. Where `acc` is not plain
            accuracy, plain accuracy comes as `acc_top1` too.
        part: ``"search"``, or ``"report"`` for reports, whose `acc` is always plain accuracy.
        estimate: What `acc` is instead: a key of `ESTIMATES`, `SMOOTHED` or `PRIOR`.

    Raises:
        SettingsError: No supernet, no data, or data of a task that does not measure what the estimate reads.
    """

    def __init__(self, context: Context, part: PartName = "search", *, estimate: str | None = None) -> None:
        if context.supernet is None or context.data is None:
            raise SettingsError("The objective 'acc' needs data and a trained supernet, got neither or one")
        kind, option = read_estimator(str(context.options.get("estimator", "supernet")))
        asked = option if kind == "supernet" else DEFAULT
        self.estimate = estimate or ("accuracy" if part == "report" else asked)
        # What is no share of images is a score, which has no unit.
        self.objectives = (ACC,) if self.estimate == "accuracy" else (replace(ACC, unit=""), TOP1)
        self._context = context
        images = context.data.part(part)
        self._images = len(images.labels)
        task = make_task(context.data)
        check_measures(task, "supernet" if self.estimate not in READ else f"supernet:{self.estimate}")
        self._primary = task.primary
        self._path = PathEvaluator(
            context.supernet, context.data, images, norm_images=NORM_IMAGES, memory=KEPT, task=task
        )
        known = context.options.get("paths") if self.estimate in (SMOOTHED, PRIOR) else None
        self.fingerprint = fingerprint(
            "acc", 4, self.estimate, part, context.supernet_fingerprint, context.data.fingerprint, context.threads,
            *([] if known is None else [known]),
        )  # fmt: skip

    def prepare(self) -> None:
        """Read what every estimate rests on, once.

        Raises:
            EvaluationError: No path of the sample can be read.
        """
        self._estimate  # noqa: B018

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return the estimate of each architecture's path, in [0, 1], and its accuracy.

        Raises:
            EvaluationError: No path of the sample can be read.
        """
        self.prepare()  # so that the first architecture's seconds are its own
        return one_by_one(self.objectives, candidates, self._values, sized=True)

    def _values(self, architecture: Architecture) -> dict[str, float]:
        score = self._path(architecture)
        return {"acc": self._estimate(architecture, score), "acc_top1": score[self._primary]}

    @property
    def weights(self) -> Mapping[str, float] | None:
        """How much each score of a prior counts, of 1 in all; None of another estimate."""
        made = self._estimate
        if not isinstance(made, CombinedEstimator):
            return None
        return dict(zip(("shared weights", "FLOPs", "SWAP"), made.weights.tolist(), strict=True))

    @cached_property
    def _estimate(self) -> Callable[[Architecture, Mapping[str, float]], float]:
        if self.estimate in ESTIMATES:
            return lambda architecture, score: ESTIMATES[self.estimate](score, self._primary)
        effects = AdditiveEffects(
            self._context.space, self._path, self._context.progress, self._context.options.get("paths")
        )
        if self.estimate == SMOOTHED:
            return lambda architecture, score: min(1.0, math.exp(effects(architecture, score)))
        before = ZeroCostFeatures(self._context)
        return CombinedEstimator(before, effects, self._images, self._primary, self._context.progress)
