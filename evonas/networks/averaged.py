"""Ensemble of networks whose probabilities are averaged.

References:
    .. [Lakshminarayanan2017] Lakshminarayanan, Pritzel, Blundell: Simple and Scalable Predictive Uncertainty Estimation
       using Deep Ensembles, NeurIPS 2017, arXiv 1612.01474.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

__all__ = ["Averaged"]


class Averaged(nn.Module):
    """Classifiers whose probabilities are averaged, all alike ([Lakshminarayanan2017]_ section 2.4).

    Its outputs are the logarithms of these means, so they are logits too: their softmax is the mean again.

    Args:
        networks: One or more, of the same input and classes, each giving logits of shape (n, classes).
    """

    def __init__(self, networks: Iterable[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, images: Tensor) -> Tensor:
        """Return logarithms of mean probabilities, shape (n, classes)."""
        logs = torch.stack([torch.log_softmax(network(images), 1) for network in self.networks])
        # Written out, as runtimes differ in how they compute a logarithm of sums.
        most = logs.amax(0)
        return most + (logs - most).exp().sum(0).log() - math.log(len(self.networks))
