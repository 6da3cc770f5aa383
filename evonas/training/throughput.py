"""Seconds of an epoch of a stand-alone training, measured by a trial."""

from __future__ import annotations

import copy
import time

import torch
from torch import nn

from evonas.data import Dataset, count_batches
from evonas.training.device import finish, mixed_precision, resolve_device, to_device
from evonas.training.recipe import TrainingRecipe

__all__ = ["seconds_per_epoch"]

STEPS = 2
"""Steps of the trial; the first warms up and is left out."""
BESIDE = 1.2
"""Times the network's own passes that a step takes: augmentation and the optimizer come on top."""


def seconds_per_epoch(
    network: nn.Module, data: Dataset, recipe: TrainingRecipe, *, device: str | torch.device = "auto"
) -> float:
    """Return about how long an epoch takes, by forward and backward passes of a copy; the network stays as it is.

    Args:
        network: Stand-alone network.
        data: What it is trained on.
        recipe: Gives the batch, and which images there are.
        device: See `resolve_device`.
    """
    where = resolve_device(device)
    images = len(data.train) + (len(data.search) + len(data.report) if recipe.all_data else 0)
    if recipe.all_data:  # else images held out are none of those that are trained on
        images -= round(recipe.held_out * images)
    size = min(recipe.batch_size, images)
    batch = data.normalize(data.train.images[:size].to(where)).contiguous(memory_format=torch.channels_last)
    trial, seconds = copy.deepcopy(network), 0.0
    with torch.random.fork_rng([where] if where.type == "cuda" else []):  # dropout draws from torch's own generator
        to_device(trial, where).train()
        for _ in range(STEPS):
            finish(where)
            began = time.perf_counter()
            with mixed_precision(where):
                outputs = trial(batch)
            torch.autograd.backward(outputs.float().square().mean())
            finish(where)
            seconds = time.perf_counter() - began
    return BESIDE * seconds * size / len(batch) * count_batches(images, size, drop_last=True)
