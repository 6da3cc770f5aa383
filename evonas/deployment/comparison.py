"""Measure that smaller forms of a model are compared by."""

from __future__ import annotations

import numpy as np
import torch

from evonas.data import Dataset
from evonas.deployment.compression.compress import Comparison, halves
from evonas.deployment.deployment import cost_of_rounding
from evonas.tasks import Task

__all__ = ["make_comparison"]


def make_comparison(data: Dataset, task: Task) -> Comparison:
    """Return a comparison by one half of the validation images; ranges of activations are measured on the other.

    Args:
        data: At the resolution of the model.
        task: What the network was trained for.
    """
    images = torch.cat([data.search.images, data.report.images])
    labels = torch.cat([data.search.labels, data.report.labels]).cpu()
    measured, compared = halves(len(images))
    deployed, targets = task.deployed(), labels[compared]

    def unit(part: slice) -> np.ndarray:
        return (images[part].cpu().float() / data.scale).numpy()

    def cost(before: float, after: float) -> float:
        return cost_of_rounding(task.primary, task.direction, before, after, len(targets))

    def measure(outputs: np.ndarray) -> float:
        return deployed.metric(torch.from_numpy(outputs), targets)

    return Comparison(unit(measured), unit(compared), measure, task.primary, task.direction, cost)
