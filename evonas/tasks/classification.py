"""Image classification: one label per image.

References:
    .. [Szegedy2016] Szegedy et al.: Rethinking the Inception Architecture, CVPR 2016, arXiv 1512.00567.
    .. [Lin2017] Lin et al.: Focal Loss for Dense Object Detection, ICCV 2017, arXiv 1708.02002.
    .. [Hinton2015] Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, arXiv 1503.02531.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from evonas.tasks.calibration_scores import calibration_scores
from evonas.tasks.class_report import report_classes
from evonas.tasks.class_scores import class_scores
from evonas.tasks.head import Head
from evonas.tasks.measure import BY_CLASS, CALIBRATION, CLASSIFICATION, Measure, recall_measure, recall_name
from evonas.tasks.task import Task, TaskData

BESIDE = ("target", "answer", "probabilities")
"""Figures of each image that scores of classes are made of."""


class Classification(Task):
    """Image classification: cross-entropy; accuracy, loss and probability of the true class.

    A subclass may have a loss, measures and a head of its own: nothing here answers for them.

    Args:
        classes: Number of classes; 0: not known, which only who builds a network's head must know.
        smoothing: Label smoothing in [0, 1) ([Szegedy2016]_ section 7), in training alone.
        divergence: Imitate a teacher by the divergence from its probabilities, 0 where the two are equal, instead of
            the cross-entropy against them; both have one gradient, but for rounding.
        names: Names of the classes: then a score also holds what counts classes alike (`class_scores`).
        weights: Weight of each class in the loss against labels, above 0; None: all alike.
    """

    name = "classification"
    title = "image classification"
    dtype = torch.int64
    target_shape = ()
    measures: tuple[Measure, ...] = CLASSIFICATION
    primary = "accuracy"

    def __init__(
        self,
        classes: int = 0,
        *,
        smoothing: float = 0.0,
        divergence: bool = False,
        names: Sequence[str] = (),
        weights: Sequence[float] | None = None,
    ) -> None:
        self.head = Head(classes, "class")
        self.smoothing = smoothing
        self.divergence = divergence
        self.focal = 0.0
        self.names = tuple(names)
        self.weights = None if weights is None else tuple(weights)
        if self.names:
            self.measures = (*CLASSIFICATION, *BY_CLASS)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of (n, classes) logits against (n,) labels, in nats, by weights of classes.

        As a focal loss each image counts by ``(1 - p)^focal`` ([Lin2017]_ equation 4).
        """
        if self.focal:
            return self._focal_loss(outputs, targets)
        if self.weights is None:
            return F.cross_entropy(outputs, targets, label_smoothing=self.smoothing)
        weights = torch.tensor(self.weights, dtype=outputs.dtype, device=outputs.device)
        return F.cross_entropy(outputs, targets, weight=weights, label_smoothing=self.smoothing)

    def _focal_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        each = F.cross_entropy(outputs, targets, label_smoothing=self.smoothing, reduction="none")
        chance = outputs.log_softmax(-1).gather(-1, targets[:, None])[:, 0].exp()
        each = (1 - chance).clamp(min=1e-12) ** self.focal * each
        if self.weights is None:
            return each.mean()
        weights = torch.tensor(self.weights, dtype=outputs.dtype, device=outputs.device)[targets]
        return (weights * each).sum() / weights.sum()

    def imitate(self, outputs: Tensor, teacher: Tensor) -> Tensor:
        """Return the mean cross-entropy against the teacher's probabilities, or the divergence from them."""
        return distillation(outputs, teacher) if self.divergence else F.cross_entropy(outputs, teacher.softmax(-1))

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return each image's `accuracy` (0 or 1), `loss` (cross-entropy) and `probability` (true class).

        Where the classes have names also its `target`, `answer` and `probabilities`, shape (n, classes).
        """
        loss, answer = F.cross_entropy(outputs.double(), targets, reduction="none"), outputs.argmax(-1)
        figures = {"accuracy": (answer == targets).double(), "loss": loss, "probability": torch.exp(-loss)}
        if self.names:
            figures |= {"target": targets, "answer": answer, "probabilities": outputs.double().softmax(-1)}
        return figures

    def score(self, figures: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the means of `accuracy`, `loss` and `probability`; with names of classes their scores as well."""
        score = {name: float(values.mean()) for name, values in figures.items() if name not in BESIDE}
        if self.names:
            target, answer, probabilities = (figures[name].cpu().numpy() for name in BESIDE)
            score |= class_scores(target, answer, probabilities, self.names)
            score |= calibration_scores(target, answer, probabilities)
        return score

    def metric(self, outputs: Tensor, targets: Tensor) -> float:
        """Return the primary measure; where a score is the mean of it, the scores of classes are not computed."""
        figures = self.measure(outputs, targets)
        if type(self).score is not Classification.score or self.primary not in figures:
            return self.score(figures)[self.primary]
        return float(figures[self.primary].mean())

    def report(self, outputs: Tensor, targets: Tensor) -> dict[str, Any] | None:
        """Return recall, precision and support of each class and the confusion matrix, where classes have names."""
        if not self.names:
            return None
        figures = self.measure(outputs, targets)
        target, answer, probabilities = (figures[name].cpu().numpy() for name in BESIDE)
        return report_classes(target, answer, probabilities, self.names).to_content()

    def alone(self, label_smoothing: float = 0.0) -> Self:
        """Return the task with label smoothing, and with the divergence as what a teacher gives."""
        form = copy(self)
        form.smoothing, form.divergence = label_smoothing, True
        return form

    def focused(self, exponent: float) -> Self:
        """Return the task with a focal loss of an exponent, 0 or more; 0: cross-entropy."""
        form = copy(self)
        form.focal = exponent
        return form

    def named(self, name: str) -> Measure | None:
        """Return the measure of that name, also one of calibration or the recall of one of the classes."""
        if name in {recall_name(one) for one in self.names}:
            return recall_measure(name)
        return super().named(name) or next((one for one in CALIBRATION if self.names and one.name == name), None)

    @property
    def objective(self) -> str:
        """The objective of a search: accuracy, however it is estimated."""
        return "acc"


def make_classification(data: TaskData) -> Classification:
    """Return the task of a data set's classes."""
    return Classification(len(data.classes), names=data.classes, weights=data.class_weights)


def distillation(logits: Tensor, teacher: Tensor) -> Tensor:
    """Return how far a student's probabilities are from its teacher's, 0 where they are equal.

    The mean cross-entropy against the teacher's probabilities ([Hinton2015]_ section 2 at temperature 1),
    less their entropy: a constant, so the gradient is the same.

    Args:
        logits: Shape (n, classes).
        teacher: Likewise; no gradient reaches it.
    """
    target = teacher.detach().log_softmax(-1)
    return F.kl_div(logits.log_softmax(-1), target, reduction="batchmean", log_target=True)
