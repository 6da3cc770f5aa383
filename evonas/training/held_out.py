"""Held-out images of a training: the measure on them after each epoch, the best epoch, and overfitting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch

from evonas.data import Dataset, Part
from evonas.errors import SettingsError
from evonas.tasks import Task, find_measure
from evonas.training.evaluate import evaluate
from evonas.training.recipe import TrainingRecipe
from evonas.training.state import State

__all__ = ["HeldOut", "not_held_out", "overfitting", "training_parts"]

WIDE_GAP = 0.1
"""Gap between training and held-out accuracy from which it is worth a line."""


class HeldOut:
    """Held-out images of a training: read after each epoch, they choose its weights and may end it.

    Args:
        part: These images.
        data: Data set of the part.
        task: What is measured.
        patience: Epochs without a better one after which training is over; 0: never.
    """

    def __init__(self, part: Part, data: Dataset, task: Task, patience: int) -> None:
        self._part, self._data, self._task, self._patience = part, data, task, patience
        self._sign = 1.0 if find_measure(task, task.primary).direction == "max" else -1.0

    def read(self, state: State) -> None:
        """Read the measure of the weights that the training would end with, and keep these where it is the best yet.

        Args:
            state: After an epoch; its last figures gain ``held_out``, its weights are left as they are.
        """
        network, own = state.network, None
        if state.average is not None:
            own = {name: value.detach().clone() for name, value in network.state_dict().items()}
            network.load_state_dict(state.average.values)
        value, _ = evaluate(network, self._part, self._data, task=self._task)
        state.history[-1]["held_out"] = value
        if self.best(state.history) == len(state.history):
            state.best = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        if own is not None:
            network.load_state_dict(own)

    def best(self, history: Sequence[Mapping[str, float]]) -> int:
        """Return the best epoch, from 1, the later of equals."""
        return _latest_best([self._sign * figures["held_out"] for figures in history]) + 1

    def over(self, history: Sequence[Mapping[str, float]]) -> bool:
        """Return whether no epoch has been better for as long as patience lasts."""
        return bool(self._patience and history) and len(history) - self.best(history) >= self._patience


def training_parts(data: Dataset, recipe: TrainingRecipe) -> tuple[Part, Part | None]:
    """Return the images that a recipe trains on, and those that it holds out; None: none.

    Held out are the first images of the part `report`, which hold the classes in about their shares; of a recipe
    that leaves the validation parts unseen these are no fewer training images.

    Args:
        data: Data set.
        recipe: Says whether validation images are trained on, and the share that is held out.

    Raises:
        SettingsError: The share asked for is more than the part has.
    """
    parts = [data.train, data.search, data.report] if recipe.all_data else [data.train]
    held = round(recipe.held_out * sum(map(len, parts)))
    if not held:
        return _joined(parts), None
    if held >= len(data.report):
        raise SettingsError(
            f"Expected fewer images to hold out than the {len(data.report)} of the part report, got {held}: "
            "lower held_out (--hold-out), or give --hold-out 0"
        )
    out = Part(data.report.images[:held], data.report.labels[:held])
    rest = Part(data.report.images[held:], data.report.labels[held:])
    return _joined([*parts[:-1], rest] if recipe.all_data else parts), out


def not_held_out(data: Dataset, held: Part | None) -> Part:
    """Return the part `report` without the images of it that chose the epoch.

    Args:
        data: Data set.
        held: As `training_parts` gives them.
    """
    first = 0 if held is None else len(held)
    return Part(data.report.images[first:], data.report.labels[first:]) if first else data.report


def _latest_best(values: Sequence[float]) -> int:
    """Return the index of the largest value, the later of equals; one that is no number is below all."""
    return max(range(len(values)), key=lambda i: (-math.inf if math.isnan(values[i]) else values[i], i))


def _joined(parts: Sequence[Part]) -> Part:
    return Part(torch.cat([part.images for part in parts]), torch.cat([part.labels for part in parts]))


def overfitting(history: Sequence[Mapping[str, float]], images: int) -> str | None:
    """Return a line that says that accuracy on held-out images fell while that in training rose; None where not.

    Args:
        history: Figures of epochs with ``metric`` and ``held_out``, shares of images.
        images: How many are held out; a fall within one standard error counts for nothing.
    """
    if not images or not history or any("held_out" not in figures for figures in history):
        return None
    values = [figures["held_out"] for figures in history]
    best = _latest_best(values)
    peak, fall = history[best], values[best] - values[-1]
    error = math.sqrt(max(values[best] * (1 - values[best]), 0.0) / images)
    if fall > error and history[-1]["metric"] > peak["metric"]:
        return (
            f"It overfits: on {images} held-out images accuracy fell from {values[best]:.1%} in epoch {best + 1} to "
            f"{values[-1]:.1%}, while in training it rose to {history[-1]['metric']:.1%}; epoch {best + 1} is kept"
        )
    gap = peak["metric"] - values[best]
    if gap > max(WIDE_GAP, 2 * error):
        return (
            f"Training images are known better than others: {peak['metric']:.1%} against {values[best]:.1%} of "
            f"{images} held out; more images, or a recipe with more augmentation (photos), may help"
        )
    return None
