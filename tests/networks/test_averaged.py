"""Averaged probabilities of several networks."""

from __future__ import annotations

import torch
from torch import nn

from evonas.networks.averaged import Averaged


def test_outputs_are_logarithms_of_mean_probabilities() -> None:
    """The softmax of the outputs is the mean of the members'; large logits stay finite; one network keeps its own."""
    torch.manual_seed(0)
    networks = [nn.Sequential(nn.Flatten(), nn.Linear(12, 4)) for _ in range(3)]
    images = torch.randn(5, 3, 2, 2)
    mean = torch.stack([network(images).softmax(1) for network in networks]).mean(0)
    outputs = Averaged(networks)(images)
    assert torch.allclose(outputs.exp(), mean, atol=1e-6)
    assert torch.allclose(outputs.softmax(1), mean, atol=1e-6)
    assert torch.allclose(Averaged(networks[:1])(images), networks[0](images).log_softmax(1), atol=1e-6)
    assert bool(torch.isfinite(Averaged(networks)(1e4 * images)).all())
