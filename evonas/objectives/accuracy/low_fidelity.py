"""Accuracy and other measures by a short training of each architecture: expensive, but no weights are shared."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from evonas.data.part import PartName
from evonas.errors import SettingsError
from evonas.networks import Network, build
from evonas.objectives.accuracy.accuracy import ACC, AccuracyEvaluator
from evonas.objectives.accuracy.estimators import read_estimator, read_training
from evonas.objectives.accuracy.measures import MeasureEvaluator, measured_objectives
from evonas.objectives.accuracy.ranked import RankedEvaluator
from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.cost.cost import CostEvaluator
from evonas.objectives.result import Result
from evonas.spaces import Architecture, Candidate
from evonas.tasks import make_task
from evonas.training import load_recipe
from evonas.training.evaluate import evaluate, read_outputs
from evonas.training.train import train

__all__ = ["TrainingEvaluator", "accuracy_evaluator", "measure_evaluator", "trains"]

RECIPE = "quick"
DRAWN = 1000
"""Architectures among which the teacher is searched for."""


def trains(context: Context) -> bool:
    """Return whether accuracy is estimated by training instead of by shared weights."""
    return read_estimator(str(context.options.get("estimator", "supernet")))[0] == "train"


def accuracy_evaluator(context: Context, part: PartName = "search") -> Evaluator:
    """Return what estimates accuracy as the option ``estimator`` asks for.

    Args:
        context: Data, and what else the estimator needs; option ``anchors``, an `AnchorSet`: on the part `search` a
            ranker predicts that has learned from them.
        part: Part of the data that it is read on: ``"search"``, or ``"report"`` for reports.

    Raises:
        SettingsError: The data are for another task.
    """
    if context.data is not None and (task := make_task(context.data)).objective != "acc":
        raise SettingsError(
            f"The objective 'acc' is for classification, but '{context.data.name}' is for {task.name}: "
            f"use '{task.objective}', such as --objectives {task.objective},flops"
        )
    if trains(context):
        return TrainingEvaluator(context, part)
    anchors = context.options.get("anchors")
    if anchors is not None and part == "search":
        return RankedEvaluator(context, anchors, context.options.get("signal_reader"))
    return AccuracyEvaluator(context, part)


def measure_evaluator(context: Context, name: str, part: PartName = "search") -> Evaluator:
    """Return what estimates a measure of the data's task as the option ``estimator`` asks for.

    Args:
        context: Data, and what the estimator needs in addition.
        name: The objective asked for.
        part: ``"search"``, or ``"report"`` for reports.

    Raises:
        SettingsError: No data, data of a task that does not measure this, or an estimator of accuracy alone.
    """
    return TrainingEvaluator(context, part, name) if trains(context) else MeasureEvaluator(context, name, part)


class TrainingEvaluator(Evaluator):
    """Accuracy, or what another task measures, after a few epochs of training on the part `train`.

    It is read on the part that the search selects on.

    The seed follows from the run's and the architecture, so that a result depends on nothing evaluated before.

    Args:
        context: Data, and ``train:EPOCHS`` or ``train:EPOCHS+inherit`` as the option ``estimator``. The second
            begins with the supernet's weights and also imitates its largest path.
        part: ``"search"``, or ``"report"`` for reports.
        measure: The objective asked for where it is not accuracy: a measure of the data's task, whose others come too.

    Raises:
        SettingsError: No data, or data of a task that does not measure this; or no supernet to inherit from.
    """

    def __init__(self, context: Context, part: PartName = "search", measure: str | None = None) -> None:
        if context.data is None:
            raise SettingsError(f"The objective '{measure or 'acc'}' needs data to train on, got none")
        self._task = make_task(context.data)
        self.objectives = (ACC,) if measure is None else measured_objectives(context.data, measure)
        option = read_estimator(str(context.options["estimator"]))[1]
        epochs, self._inherit = read_training(option)
        if self._inherit and context.supernet is None:
            raise SettingsError(f"The estimator 'train:{option}' inherits from a trained supernet, got none")
        self._context = context
        # An average over weights needs more updates than these few epochs have.
        self._recipe = load_recipe(RECIPE, epochs=epochs, warm_up=min(1, epochs - 1), ema=0.0, all_data=False)
        self._part = context.data.part(part)
        self.fingerprint = fingerprint(
            "acc" if measure is None else self._task.name,
            "train", 1, part, self._recipe.model_dump(mode="json"), context.seed, context.data.fingerprint,
            context.space.content, context.skeleton, context.threads,
            context.supernet_fingerprint if self._inherit else "",
        )  # fmt: skip

    def shared_weights(self) -> Evaluator | None:
        """Return the supernet's own estimate, which predictors of this one see; None where there is no supernet."""
        if self._context.supernet is None:
            return None
        context = replace(self._context, options={**self._context.options, "estimator": "supernet"})
        first = self.objectives[0]
        return AccuracyEvaluator(context) if first is ACC else MeasureEvaluator(context, first.name)

    @cached_property
    def teacher(self) -> Network:
        """The path of the supernet with the most FLOPs among many."""
        context = self._context
        assert context.supernet is not None
        space, cost = context.space, CostEvaluator(context)
        drawn = space.sample(DRAWN, np.random.default_rng(0), by="choice")
        forms = [space.canonical(space.decode(g)) for g in (*drawn, 0 * space.cardinalities, space.cardinalities - 1)]
        return context.supernet.extract(max(forms, key=lambda form: cost.cost(form)[0])).eval()

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return the accuracy of each architecture, in [0, 1], or all measures of the task."""
        return one_by_one(self.objectives, candidates, self._scores)

    def network(self, architecture: Architecture) -> Network:
        """Return an architecture's network after its training, on the context's device, in evaluation mode."""
        context = self._context
        assert context.data is not None
        seed = zlib.crc32(f"{context.seed} {architecture}".encode()) >> 3  # training makes several of one
        if self._inherit:
            assert context.supernet is not None
            network, teacher = context.supernet.extract(architecture), self.teacher
        else:
            network, teacher = build(context.space, context.skeleton, architecture, seed=seed), None
        train(network, context.data, self._recipe, seed=seed, device=context.device, teacher=teacher)
        return network.eval()

    def _scores(self, architecture: Architecture) -> Mapping[str, float]:
        context, network = self._context, self.network(architecture)
        assert context.data is not None
        data = context.data.to(context.device)
        images = self._part.to(context.device)
        if self.objectives[0] is ACC:
            return {"acc": evaluate(network, images, data)[0]}
        return self._task.score(self._task.measure(read_outputs(network, images, data), images.labels))
