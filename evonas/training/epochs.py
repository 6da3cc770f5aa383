"""Loop over the epochs of a training: losses, updates and what they report."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from evonas.data import Augment, Dataset, Part, batches, count_batches
from evonas.data.augment_steps import Steps
from evonas.errors import TrainingError
from evonas.tasks import Task
from evonas.training.adversarial import Adversary
from evonas.training.auxiliary import Tap
from evonas.training.consistency import jensen_shannon, mixed_views
from evonas.training.device import mixed_precision
from evonas.training.drop_path import DropPath
from evonas.training.imitation import Imitation
from evonas.training.recipe import TrainingRecipe
from evonas.training.schedule import learning_rate
from evonas.training.state import State

Mixed = tuple[Tensor, Tensor, float]
"""Mixed images, the row of each one's partner, and the weight of its own label."""
Progress = Callable[[int, int, Mapping[str, float]], None]


@dataclass
class EpochLoop:
    """Epochs of a training, and what an update of the weights takes."""

    state: State
    recipe: TrainingRecipe
    data: Dataset
    part: Part
    task: Task
    augment: Augment | Steps
    imitation: Imitation | None
    dropping: DropPath
    tap: Tap | None
    progress: Progress | None
    adversary: Adversary | None = None

    def epoch(self, epoch: int) -> dict[str, float]:
        """Train for one epoch and return its figures."""
        state, recipe = self.state, self.recipe
        size = min(recipe.batch_size, len(self.part))
        count = count_batches(len(self.part), size, drop_last=True)
        began, total, metric, rate = time.monotonic(), 0.0, 0.0, 0.0
        self.dropping.rate = recipe.drop_path * (epoch - 1) / recipe.epochs
        state.network.train()
        if recipe.frozen_norms:
            freeze_norms(state.network)
        for i, (images, labels) in enumerate(batches(self.part, size, state.batches, drop_last=True)):
            done = (epoch - 1) * count + i
            rate = learning_rate(recipe, done, count)
            changed = self._attacked(self.augment(images, state.batches), labels, epoch)
            images, views = self.data.normalize(changed), self._views(changed)
            mixed = self.augment.mix(images, state.batches) if isinstance(self.augment, Steps) else None
            loss, outputs = self._loss(images if mixed is None else mixed[0], labels, mixed, views)
            value = float(loss.detach())
            if not math.isfinite(value):
                raise TrainingError(
                    f"Training diverged: the loss is {value} at step {done + 1} (epoch {epoch}) at learning "
                    f"rate {rate:.4g}; lower lr or set clip in the recipe (a checkpoint before is kept)"
                )
            self._update(loss, rate)
            total += value
            metric += self.task.metric(outputs.detach(), labels)
            if self.progress is not None:
                figures = {"epoch": epoch, "loss": value, "lr": rate}
                if state.history and "held_out" in state.history[-1]:
                    figures["held_out"] = state.history[-1]["held_out"]
                self.progress(done + 1, recipe.epochs * count, figures)
        figures = {"epoch": epoch, "loss": total / count, "metric": metric / count, "lr": rate}
        return figures | {"seconds": time.monotonic() - began}

    def _attacked(self, images: Tensor, labels: Tensor, epoch: int) -> Tensor:
        """Return a batch's images, moved against the network where the recipe trains so."""
        if self.adversary is None:
            return images
        unit, scale = images.float() / self.data.scale, self.data.scale
        return self.adversary(self.state.network, unit, labels, epoch, self.state.batches) * scale

    def _views(self, images: Tensor) -> Tensor | None:
        """Return normalized mixtures of a batch's images, where answers to them are to be consistent."""
        if not self.recipe.consistency:
            return None
        return self.data.normalize(mixed_views(images, self.data.scale, self.state.batches))

    def _loss(self, images: Tensor, labels: Tensor, mixed: Mixed | None, views: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the whole loss of a batch, and the outputs; of mixed images labels count by their shares."""
        state, recipe = self.state, self.recipe
        images = images.contiguous(memory_format=torch.channels_last)
        with mixed_precision(images.device):
            outputs = state.network(images).float()
            loss = self._label_loss(outputs, labels, mixed)
            if self.tap is not None and state.auxiliary is not None:
                beside = state.auxiliary(self.tap.take()).float()
                loss = loss + recipe.auxiliary * self._label_loss(beside, labels, mixed)
            if self.imitation is not None:
                loss = recipe.labels * loss + recipe.distillation * self.imitation(images, outputs)
            if views is not None:
                beside = state.network(views.contiguous(memory_format=torch.channels_last)).float()
                loss = loss + recipe.consistency * jensen_shannon([outputs, *beside.split(len(labels))])
        return loss, outputs

    def _label_loss(self, outputs: Tensor, labels: Tensor, mixed: Mixed | None) -> Tensor:
        loss = self.task.loss(outputs, labels)
        if mixed is None:
            return loss
        _, partner, share = mixed
        return share * loss + (1 - share) * self.task.loss(outputs, labels[partner])

    def _update(self, loss: Tensor, rate: float) -> None:
        state = self.state
        state.optimizer.zero_grad()
        torch.autograd.backward(loss)
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(list(state.parameters().values()), self.recipe.clip)
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        state.optimizer.step()
        if state.average is not None:
            state.average.update(state.network)


def freeze_norms(network: nn.Module) -> None:
    """Put a network's batch norms into evaluation mode, so that their statistics stay as they are."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
