"""Seconds of an update of supernet training, measured by a trial; a time limit is divided by them."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import numpy as np
from torch import nn

from evonas.supernet.evaluate import ImageData
from evonas.supernet.rules.contract import RuleFactory
from evonas.supernet.settings import SupernetSettings
from evonas.supernet.train import train_supernet
from evonas.tasks import Task


class _Enough(Exception):
    """Raised to end a trial."""


def time_update(
    network: nn.Module,
    data: ImageData,
    rule: str | RuleFactory,
    *,
    batch_size: int,
    updates: int = 20,
    task: Task | None = None,
) -> float:
    """Return the median seconds of an update, from a trial that spoils the network's weights.

    Args:
        network: A supernet that nobody needs afterwards.
        data: What it is trained on.
        rule: See `train_supernet`.
        batch_size: Images per update.
        updates: Updates of the trial.
        task: Loss; classification by default.
    """
    times = [time.perf_counter()]

    def note(progress: Any) -> None:
        times.append(time.perf_counter())
        if len(times) > updates:
            raise _Enough

    with suppress(_Enough):
        train_supernet(
            network, data, rule, SupernetSettings(epochs=updates, batch_size=batch_size), task=task, progress=note
        )
    return float(np.median(np.diff(times)))
