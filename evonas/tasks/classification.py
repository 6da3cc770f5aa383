"""Image classification: one label per image.

References:
    .. [Szegedy2016] Szegedy et al.: Rethinking the Inception Architecture, CVPR 2016, arXiv 1512.00567.
    .. [Hinton2015] Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, arXiv 1503.02531.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from evonas.tasks.measure import CLASSIFICATION
from evonas.tasks.task import Task, TaskData


class Classification(Task):
    """Image classification: cross-entropy; accuracy, loss and probability of the true class.

    Args:
        classes: Number of classes; 0: not known, which only who builds a network's head must know.
        smoothing: Label smoothing in [0, 1) ([Szegedy2016]_ section 7), in training alone.
        divergence: Imitate a teacher by the divergence from its probabilities, 0 where the two are equal, instead of
            the cross-entropy against them; both have one gradient, but for rounding.
    """

    name = "classification"
    title = "image classification"
    dtype = torch.int64
    target_shape = ()
    measures = CLASSIFICATION
    primary = "accuracy"

    def __init__(self, classes: int = 0, *, smoothing: float = 0.0, divergence: bool = False) -> None:
        self.outputs = classes
        self.smoothing = smoothing
        self.divergence = divergence

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of (n, classes) logits against (n,) labels, in nats."""
        return F.cross_entropy(outputs, targets, label_smoothing=self.smoothing)

    def imitate(self, outputs: Tensor, teacher: Tensor) -> Tensor:
        """Return the mean cross-entropy against the teacher's probabilities, or the divergence from them."""
        return distillation(outputs, teacher) if self.divergence else F.cross_entropy(outputs, teacher.softmax(-1))

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return each image's `accuracy` (0 or 1), `loss` (cross-entropy) and `probability` (true class)."""
        loss = F.cross_entropy(outputs.double(), targets, reduction="none")
        return {
            "accuracy": (outputs.argmax(-1) == targets).double(),
            "loss": loss,
            "probability": torch.exp(-loss),
        }

    def metric(self, outputs: Tensor, targets: Tensor) -> float:
        """Return the accuracy alone, which needs no probabilities."""
        return batch_accuracy(outputs, targets)

    def alone(self, label_smoothing: float = 0.0) -> Classification:
        """Return the task with label smoothing, and with the divergence as what a teacher gives."""
        return Classification(self.outputs, smoothing=label_smoothing, divergence=True)

    @property
    def objective(self) -> str:
        """The objective of a search: accuracy, however it is estimated."""
        return "acc"

    @property
    def compares_classes(self) -> bool:
        """Whether the largest output is the answer: it is."""
        return True


def make_classification(data: TaskData) -> Classification:
    """Return the task of a data set's classes."""
    return Classification(len(data.classes))


def batch_accuracy(logits: Tensor, labels: Tensor) -> float:
    """Return the share of images whose largest logit is their label's, in [0, 1].

    Args:
        logits: Shape (n, classes).
        labels: int64, shape (n,).
    """
    return int((logits.argmax(-1) == labels).sum()) / len(labels)


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
