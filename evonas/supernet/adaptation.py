"""Adaptation of a supernet of published weights to a user's images, in phases.

First the classifier, by regression on features of the largest path; then the largest path, fine-tuned at a low rate;
then the others with it, by the sandwich rule with in-place distillation ([Yu2020]_). The largest path keeps the
published statistics of its norms throughout, and the others do where `Network.kept_statistics` is `EVERY_PATH`; else
they are trained by the statistics of each batch.

References:
    .. [Yu2020] Yu et al.: BigNAS, ECCV 2020, arXiv 2003.11142.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from evonas.data import Augment, Dataset, batches, count_batches
from evonas.data.resize import resize
from evonas.errors import TrainingError
from evonas.networks import EVERY_PATH, Network
from evonas.spaces import Path
from evonas.supernet.classifier import fit_classifier
from evonas.tasks import Task

__all__ = ["Adaptation", "adapt", "plan_adaptation"]

IMAGES_SEEN = 5000, 8000
"""Images that fine-tuning, and the sandwich after it, go through where epochs are not given."""
MOST_EPOCHS, LEAST_EPOCHS = 12, 1
RANDOM_PATHS = 2
"""Of an update of the sandwich rule, between the largest and the smallest."""


@dataclass(frozen=True)
class Adaptation:
    """Epochs of each phase; none where 0.

    Attributes:
        classifier: Whether the classifier is fitted on features first.
        largest: Epochs in which the largest path is fine-tuned.
        sandwich: Epochs of the sandwich rule.
        batch_size: Images of an update.
        lr: Learning rate of AdamW at the start, falling by a cosine to 0 in each phase.
        weight_decay: Of weights with more than one side.
    """

    classifier: bool = True
    largest: int = 8
    sandwich: int = 12
    batch_size: int = 32
    lr: float = 2e-4
    weight_decay: float = 1e-2

    @property
    def epochs(self) -> int:
        """Epochs of both phases of training."""
        return self.largest + self.sandwich


def plan_adaptation(images: int, epochs: int | None = None, *, own_classes: bool = False) -> Adaptation:
    """Phases for a number of training images.

    Args:
        images: Training images.
        epochs: Epochs in all, two fifths of them for the largest path; None: by the number of images; 0: none, only the
            classifier is fitted.
        own_classes: Whether the published classifier is kept, its classes being the data's.
    """
    if epochs is None:
        first, second = (min(MOST_EPOCHS, max(LEAST_EPOCHS, round(seen / images))) for seen in IMAGES_SEEN)
    else:
        first = round(0.4 * epochs)
        second = epochs - first
    return Adaptation(classifier=not own_classes, largest=first, sandwich=second)


def adapt(
    network: Network,
    data: Dataset,
    plan: Adaptation,
    task: Task,
    *,
    sample: Callable[[np.random.Generator], Path],
    smallest: Path,
    largest: Path,
    resolutions: Sequence[int] = (),
    seed: int = 0,
    progress: Callable[[int, str], None] | None = None,
    over: Callable[[], bool] | None = None,
) -> list[dict[str, float]]:
    """Adapt a supernet in place.

    With a fixed number of threads on the CPU the result depends on the arguments alone, bit for bit.

    Args:
        network: Supernet with the published weights, on its device.
        data: Data set there; its train part is used.
        plan: What is done.
        task: Loss, and what imitates a teacher.
        sample: Draws the path of an architecture.
        smallest: Path of the smallest architecture.
        largest: Path of the largest, whose norms' statistics are kept.
        resolutions: Sides of the images of an update, drawn for each as Once-for-All does; none: the data's.
        seed: Of every draw.
        progress: Called after every update with updates done and what is going on.
        over: Asked after every update; once it says yes nothing more is done. None: never.

    Returns:
        Per epoch its phase (1: the largest, 2: the sandwich), mean loss of the largest path, and learning rate; where
        it was over before the end, the last one's ``cut``, the updates done.

    Raises:
        TrainingError: A loss is not finite.
    """
    history: list[dict[str, float]] = []
    if plan.classifier:
        fit_classifier(network, data, largest, task)
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    work = _Work(network, data, plan, task, largest, generator, progress, over)
    if resolutions:
        work.side = lambda: int(rng.choice(np.array(resolutions)))
    phases: list[tuple[int, Callable[[], list[Path]]]] = [
        (plan.largest, lambda: []),
        (plan.sandwich, lambda: [*(sample(rng) for _ in range(RANDOM_PATHS)), smallest]),
    ]
    for phase, (epochs, others) in enumerate(phases, 1):
        work.restart()
        for _ in range(epochs):
            if not work.cut:
                history.append({"phase": phase, **work.epoch(epochs, others)})
    network.eval()
    return history


class _Work:
    """The steps of one phase after the other."""

    def __init__(
        self,
        network: Network,
        data: Dataset,
        plan: Adaptation,
        task: Task,
        largest: Path,
        generator: torch.Generator,
        progress: Callable[[int, str], None] | None,
        over: Callable[[], bool] | None,
    ) -> None:
        self.network, self.data, self.plan, self.task, self.largest = network, data, plan, task, largest
        self.generator, self.progress, self.over = generator, progress, over
        self.cut = False
        self.augment: Augment = data.augment
        self.side: Callable[[], int] | None = None
        self.updates = 0

    def restart(self) -> None:
        """Begin a phase: a fresh optimizer at the full learning rate."""
        parameters = list(self.network.parameters())
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": self.plan.weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=self.plan.lr)
        self.done = 0

    def epoch(self, epochs: int, others: Callable[[], list[Path]]) -> dict[str, float]:
        """Go through the train part once; `others` draws the paths that imitate the largest in an update."""
        part = self.data.train
        size = min(self.plan.batch_size, len(part))
        count = count_batches(len(part), size, drop_last=True)
        total, lr = 0.0, self.plan.lr
        self.network.train()
        for images, labels in batches(part, size, self.generator, drop_last=True):
            lr = 0.5 * self.plan.lr * (1 + math.cos(math.pi * self.done / (epochs * count)))
            images = self.augment(images, self.generator)
            if self.side is not None:
                images = resize(images, self.side())
            images = self.data.normalize(images)
            images = images.contiguous(memory_format=torch.channels_last)
            total += self._update(images, labels, others(), lr)
            self.done += 1
            self.updates += 1
            if self.progress is not None:
                self.progress(self.updates, f"loss {total / ((self.done - 1) % count + 1):.3f}")
            if self.over is not None and self.updates < self.plan.epochs * count and self.over():
                self.cut = True
                return {"loss": total / ((self.done - 1) % count + 1), "lr": lr, "cut": float(self.updates)}
        return {"loss": total / count, "lr": lr}

    def _update(self, images: Tensor, labels: Tensor, others: list[Path], lr: float) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.zero_grad()
        weight = 1.0 / (1 + len(others))
        with statistics_of_norms(self.network, "kept"):
            outputs = self.network(images, self.largest)
            loss = self.task.loss(outputs, labels)
            value = float(loss.detach())
            if not math.isfinite(value):
                raise TrainingError(
                    f"Adaptation diverged: the loss is {value} at update {self.updates + 1}; are the images of the "
                    "kind that the published weights were trained on?"
                )
            torch.autograd.backward(loss * weight)
        teacher = outputs.detach()
        with statistics_of_norms(self.network, "kept" if self.network.kept_statistics == EVERY_PATH else "batch"):
            for path in others:
                torch.autograd.backward(self.task.imitate(self.network(images, path), teacher) * weight)
        self.optimizer.step()
        return value


@contextmanager
def statistics_of_norms(network: nn.Module, which: str) -> Iterator[None]:
    """Run batch norms by the statistics that they hold, or by each batch's, which are then not taken over.

    Args:
        network: The network.
        which: ``"kept"`` or ``"batch"``.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [(norm, norm.training, norm.momentum) for norm in norms]
    counts = [(norm, None if norm.num_batches_tracked is None else norm.num_batches_tracked.clone()) for norm in norms]
    try:
        for norm in norms:
            norm.train(which == "batch")
            norm.momentum = 0.0
        yield
    finally:
        for norm, training, momentum in before:
            norm.train(training)
            norm.momentum = momentum
        for norm, count in counts:
            if norm.num_batches_tracked is not None and count is not None:
                norm.num_batches_tracked.copy_(count)
