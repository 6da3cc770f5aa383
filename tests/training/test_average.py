from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from evonas.training.average import WeightAverage


def fill(network: nn.Module, value: float) -> nn.Module:
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(value)
    return network


def test_the_decay_is_warmed_up_then_constant() -> None:
    network = fill(nn.Linear(2, 1), 0.0)
    average = WeightAverage(network, 0.5)
    fill(network, 1.0)
    for _ in range(12):
        average.update(network)
    left = math.prod(min(0.5, (1 + t) / (10 + t)) for t in range(1, 13))
    assert average.values["weight"].tolist()[0] == pytest.approx([1 - left] * 2, rel=1e-5)


def test_a_known_sequence() -> None:
    network = fill(nn.Linear(1, 1), 0.0)
    average = WeightAverage(network, 0.9)
    average.updates = 10**6  # long past the warm-up
    expected = 0.0
    for value in (1.0, -2.0, 5.0):
        average.update(fill(network, value))
        expected = 0.9 * expected + 0.1 * value
    assert float(average.values["bias"]) == pytest.approx(expected, rel=1e-5)


def test_norm_statistics_are_averaged_and_counters_copied() -> None:
    norm = nn.BatchNorm2d(1)
    average = WeightAverage(norm, 0.75)
    average.updates = 10**6
    norm.running_mean.fill_(4.0)
    norm.num_batches_tracked.fill_(7)
    average.update(norm)
    assert float(average.values["running_mean"]) == pytest.approx(1.0)
    assert int(average.values["num_batches_tracked"]) == 7
