"""What a network is trained for: a loss, a metric, and a loss against a teacher.

References:
    .. [Szegedy2016] Szegedy et al.: Rethinking the Inception Architecture, CVPR 2016, arXiv 1512.00567.
    .. [Hinton2015] Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, arXiv 1503.02531.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch.nn.functional as F
from torch import Tensor


def accuracy(logits: Tensor, labels: Tensor) -> float:
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


@dataclass(frozen=True)
class Task:
    """What training and evaluation need to know of a task.

    Attributes:
        name: Short name, for people.
        loss: Outputs and labels of a batch to their mean loss, a scalar.
        metric: Outputs and labels of a whole part to one number, higher is better.
        imitate: Outputs and a teacher's outputs to a mean loss, a scalar.
    """

    name: str
    loss: Callable[[Tensor, Tensor], Tensor]
    metric: Callable[[Tensor, Tensor], float]
    imitate: Callable[[Tensor, Tensor], Tensor] = distillation


def image_classification(smoothing: float = 0.0) -> Task:
    """Return the task of one label per image: cross-entropy and accuracy.

    Args:
        smoothing: Share of a label that is spread over all classes, in [0, 1) ([Szegedy2016]_ section 7).
    """
    return Task("image classification", partial(F.cross_entropy, label_smoothing=smoothing), accuracy)
