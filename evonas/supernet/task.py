"""What the weights are trained for: a loss, and what is read off the outputs."""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Task(Protocol):
    """What training and evaluation need to know of a task."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of a batch, a scalar."""
        ...

    def imitate(self, outputs: Tensor, teacher: Tensor) -> Tensor:
        """Return the mean loss of a batch against a teacher's outputs, a scalar."""
        ...

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return each image's figures, shape (n,), by name."""
        ...


class Classification:
    """Image classification: cross-entropy; accuracy, loss and probability of the true class.

    Args:
        smoothing: Label smoothing in [0, 1) (Szegedy et al. 2016, section 7), in training alone.
    """

    def __init__(self, *, smoothing: float = 0.0) -> None:
        self.smoothing = smoothing

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean cross-entropy of (n, classes) logits against (n,) labels."""
        return F.cross_entropy(outputs, targets, label_smoothing=self.smoothing)

    def imitate(self, outputs: Tensor, teacher: Tensor) -> Tensor:
        """Return the mean cross-entropy against the teacher's probabilities."""
        return F.cross_entropy(outputs, teacher.softmax(-1))

    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Return each image's `accuracy` (0 or 1), `loss` (cross-entropy) and `probability` (true class)."""
        loss = F.cross_entropy(outputs.double(), targets, reduction="none")
        return {
            "accuracy": (outputs.argmax(-1) == targets).double(),
            "loss": loss,
            "probability": torch.exp(-loss),
        }
