"""Gradient norm: how strongly the loss pulls at the weights before training."""

from __future__ import annotations

from evonas.proxies.forward import Forward
from evonas.proxies.proxy import Needs, Proxy


class GradNorm(Proxy):
    """Sum of the Euclidean norms of the loss's gradients, one per convolution and linear weight.

    The loss is the mean cross-entropy of the batch. More is better (Abdelfattah et al. 2021, Zero-Cost
    Proxies for Lightweight NAS, section 3.1).
    """

    name = "grad_norm"
    direction = "max"
    needs = Needs(labels=True)

    def measure(self, forward: Forward) -> float:
        """Return the sum of norms; 0 where no gradient reaches a weight."""
        return sum(float(gradient.double().norm().item()) for gradient in forward.gradients.values())
