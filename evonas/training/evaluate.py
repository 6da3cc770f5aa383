"""Evaluation of trained networks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from evonas.data import Dataset, Part, batches
from evonas.errors import EvaluationError, SettingsError
from evonas.tasks import Task, make_task


@torch.no_grad()
def evaluate(
    network: nn.Module, part: Part, data: Dataset, *, batch: int = 500, task: Task | None = None
) -> tuple[float, float]:
    """Return a network's primary measure and mean loss on a part, in evaluation mode and float32.

    Args:
        network: Called as `network(images)`, on the part's device; its mode is kept.
        part: What to read them on.
        data: Data set of the part; it normalizes the images.
        batch: Images at once, at least 1.
        task: Metric and loss; the data's by default.

    Raises:
        EvaluationError: The outputs are not finite.
        SettingsError: The part is empty.
    """
    task = task or make_task(data)
    outputs = read_outputs(network, part, data, batch=batch)
    loss = _finite_loss(outputs, part, task)
    return task.metric(outputs, part.labels), loss


def _finite_loss(outputs: Tensor, part: Part, task: Task) -> float:
    loss = float(task.loss(outputs, part.labels))
    if not math.isfinite(loss):
        raise EvaluationError(f"Expected finite outputs, got a loss of {loss}: train the network again")
    return loss


@torch.no_grad()
def read_outputs(network: nn.Module, part: Part, data: Dataset, *, batch: int = 500) -> Tensor:
    """Return a network's outputs on a part, in evaluation mode, float32, shape (n, outputs).

    Args:
        network: Called as `network(images)`, on the part's device; its mode is kept.
        part: What to read them on.
        data: Data set of the part; it normalizes the images.
        batch: Images at once, at least 1.

    Raises:
        SettingsError: The part is empty.
    """
    if len(part) == 0:
        raise SettingsError(f"Expected images of '{data.name}' to evaluate on, got an empty part")
    training = network.training
    network.eval()
    try:
        return torch.cat([network(data.normalize(images)).float() for images, _ in batches(part, batch)])
    finally:
        network.train(training)


def test_accuracy(network: nn.Module, data: Dataset, *, batch: int = 500) -> float:  # noqa: PT028
    """Return a network's accuracy on the test part, in [0, 1].

    Args:
        network: Called as `network(images)`, on the data's device.
        data: Data set.
        batch: Images at once, at least 1.

    Raises:
        DataError: Test images cannot be decoded.
        EvaluationError: The outputs are not finite.
    """
    return read_test(network, data, batch=batch)[0]


@torch.no_grad()
def read_test(network: nn.Module, data: Dataset, *, batch: int = 500) -> tuple[float, Mapping[str, Any] | None]:
    """Return a network's primary measure on the test part, and what its task reports of it beside.

    This and `test_accuracy` are the functions here that read that part.

    Args:
        network: Called as `network(images)`, on the data's device.
        data: Data set.
        batch: Images at once, at least 1.

    Raises:
        DataError: Test images cannot be decoded.
        EvaluationError: The outputs are not finite.
    """
    task, part = make_task(data), data.test
    outputs = read_outputs(network, part, data, batch=batch)
    _finite_loss(outputs, part, task)
    return task.metric(outputs, part.labels), task.report(outputs, part.labels)


test_accuracy.__test__ = False  # type: ignore[attr-defined]  # pytest collects by name
