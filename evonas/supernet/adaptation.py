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
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from evonas.data import Augment, Dataset, batches, count_batches
from evonas.data.resize import resize
from evonas.errors import SettingsError, TrainingError
from evonas.networks import EVERY_PATH, Network
from evonas.spaces import Path
from evonas.tasks import Task

__all__ = ["Adaptation", "adapt", "fit_classifier", "plan_adaptation"]

PENALTIES = 10.0, 100.0, 1000.0, 10_000.0
"""How much half the squared norm of a classifier's weights counts against the sum of losses, features standardized."""
HELD_OUT = 0.2
"""Share of the images that the penalty is chosen on."""
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

    Returns:
        Per epoch its phase (1: the largest, 2: the sandwich), mean loss of the largest path, and learning rate.

    Raises:
        TrainingError: A loss is not finite.
    """
    history: list[dict[str, float]] = []
    if plan.classifier:
        fit_classifier(network, data, largest, task)
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    work = _Work(network, data, plan, task, largest, generator, progress)
    if resolutions:
        work.side = lambda: int(rng.choice(np.array(resolutions)))
    for _ in range(plan.largest):
        history.append({"phase": 1, **work.epoch(plan.largest, lambda: [])})
    work.restart()
    for _ in range(plan.sandwich):
        history.append(
            {"phase": 2, **work.epoch(plan.sandwich, lambda: [*(sample(rng) for _ in range(RANDOM_PATHS)), smallest])}
        )
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
    ) -> None:
        self.network, self.data, self.plan, self.task, self.largest = network, data, plan, task, largest
        self.generator, self.progress = generator, progress
        self.augment: Augment = data.augment
        self.side: Callable[[], int] | None = None
        self.updates = 0
        self.restart()

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


def last_layer(network: Network) -> nn.Linear:
    """The layer that gives a network's outputs.

    Raises:
        SettingsError: The network has no classifier.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise SettingsError("Expected a network with a classifier, got one without: use a skeleton with a head")
    return layers[-1]


@torch.no_grad()
def features_of(network: Network, images: Tensor, data: Dataset, path: Path | None, batch_size: int = 100) -> Tensor:
    """What the last layer reads, of each image, by the statistics of norms as they are.

    Args:
        network: The network; its mode is left as it was.
        images: uint8, shape (n, c, h, w).
        data: Normalizes them.
        path: What runs; None for a stand-alone network.
        batch_size: Images per pass.

    Returns:
        float32, shape (n, features), on the network's device.
    """
    found: list[Tensor] = []
    handle = last_layer(network).register_forward_pre_hook(lambda _, inputs: found.append(inputs[0].detach()))
    training = network.training
    network.eval()
    try:
        for batch in torch.split(images, batch_size):
            network(data.normalize(batch).contiguous(memory_format=torch.channels_last), path)
    finally:
        handle.remove()
        network.train(training)
    return torch.cat(found)


def fit_classifier(network: Network, data: Dataset, path: Path | None, task: Task) -> float:
    """Fit the last layer on features of the train part, all else as it is; return the mean loss there.

    Of classes that is multinomial logistic regression, of continuous targets ridge regression; see `fit_layer`.

    Args:
        network: The network; its last layer is overwritten.
        data: Data set on its device.
        path: Path whose features are read; None for a stand-alone network.
        task: Loss.
    """
    features = features_of(network, data.train.images, data, path).double()
    return fit_layer(last_layer(network), features, data.train.labels, task)


def fit_layer(layer: nn.Linear, features: Tensor, labels: Tensor, task: Task) -> float:
    """Fit a linear layer by a task's loss on given features, from zero; return the mean loss.

    The loss is minimized by L-BFGS on standardized features, with a penalty on the weights' squares: the one of
    `PENALTIES` whose fit on the first four fifths of the images does best on the last fifth.

    Args:
        layer: What is overwritten.
        features: float64, shape (n, features).
        labels: Targets, n of them.
        task: Loss.
    """
    mean, deviation = features.mean(0), features.std(0).clamp_min(1e-6)
    standard = (features - mean) / deviation
    cut = len(features) - max(1, round(HELD_OUT * len(features)))

    def held_out(penalty: float) -> float:
        weight, bias = _minimized(standard[:cut], labels[:cut], layer.out_features, task, penalty)
        return float(task.loss(standard[cut:] @ weight.T + bias, labels[cut:]))

    penalty = min(PENALTIES, key=held_out) if cut > 0 else PENALTIES[-1]
    weight, bias = _minimized(standard, labels, layer.out_features, task, penalty)
    with torch.no_grad():
        layer.weight.copy_(weight / deviation)
        if layer.bias is not None:
            layer.bias.copy_(bias - (weight / deviation) @ mean)
    return float(task.loss(standard @ weight.T + bias, labels))


def _minimized(features: Tensor, labels: Tensor, outputs: int, task: Task, penalty: float) -> tuple[Tensor, Tensor]:
    """Weight and bias that minimize a task's mean loss and a penalty, found from zero."""
    weight = torch.zeros(outputs, features.shape[1], dtype=features.dtype, device=features.device, requires_grad=True)
    bias = torch.zeros(outputs, dtype=features.dtype, device=features.device, requires_grad=True)
    optimizer: torch.optim.Optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=200, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = task.loss(features @ weight.T + bias, labels) + 0.5 * penalty * weight.square().sum() / len(features)
        torch.autograd.backward(loss)
        return loss

    optimizer.step(cast(Callable[[], float], closure))
    return weight.detach(), bias.detach()
