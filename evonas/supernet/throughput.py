"""Seconds of an update of supernet training and of its checkpoint, measured by trials; a time is divided by them."""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from evonas.supernet.checkpoint import WEIGHTS, write_supernet
from evonas.supernet.evaluate import ImageData
from evonas.supernet.rules.contract import RuleFactory
from evonas.supernet.settings import SupernetSettings
from evonas.supernet.train import Augmentation, train_supernet
from evonas.tasks import Task


def time_checkpoint(network: nn.Module) -> float:
    """Return the seconds that a checkpoint of a supernet takes to be written, with as much again for its optimizer.

    Args:
        network: The supernet.
    """
    own = {f"{WEIGHTS}{name}": tensor for name, tensor in network.state_dict().items()}
    tensors = own | {f"momentum/{name}": tensor.clone() for name, tensor in own.items()}
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        write_supernet(Path(folder) / "trial.safetensors", tensors, {})
        return time.perf_counter() - began


class _Enough(Exception):
    """Raised to end a trial."""


def time_update(
    network: nn.Module,
    data: ImageData,
    rule: str | RuleFactory,
    *,
    batch_size: int,
    updates: int = 20,
    seconds: float | None = None,
    augment: Augmentation | None = None,
    task: Task | None = None,
    norms: str = "affine",
) -> float:
    """Return the mean seconds of an update, the first left out, from a trial that spoils the network's weights.

    The mean and not the median: paths differ in what they cost.

    Args:
        network: A supernet that nobody needs afterwards.
        data: What it is trained on.
        rule: See `train_supernet`.
        batch_size: Images per update.
        updates: Updates of the trial, 1 or more.
        seconds: End the trial after that time, at least two updates done; None: no bound.
        augment: As in the training that is meant.
        task: Loss; classification by default.
        norms: As in the training that is meant.
    """
    times = [time.perf_counter()]

    def note(progress: Any) -> None:
        times.append(time.perf_counter())
        late = seconds is not None and len(times) > 2 and times[-1] - times[0] >= seconds
        if late or len(times) > updates + 1:
            raise _Enough

    with suppress(_Enough):
        settings = SupernetSettings(epochs=updates + 1, batch_size=batch_size, norms=norms)
        train_supernet(network, data, rule, settings, augment=augment, task=task, progress=note)
    return float(np.mean(np.diff(times)[1:]))
