"""SNIP: how much the loss would feel the loss of each weight."""

from __future__ import annotations

from evonas.proxies.forward import Forward
from evonas.proxies.proxy import Needs, Proxy


class Snip(Proxy):
    """Sum over all convolution and linear weights of \\|w dL/dw\\|, L being the batch's mean cross-entropy.

    More is better (Lee et al. 2019, SNIP, equation 4; summed over the network by Abdelfattah et al. 2021,
    Zero-Cost Proxies for Lightweight NAS, section 3.2).
    """

    name = "snip"
    direction = "max"
    needs = Needs(labels=True)

    def measure(self, forward: Forward) -> float:
        """Return the sum; 0 where no gradient reaches a weight."""
        return sum(
            (forward.weights[name] * gradient).abs().double().sum().item()
            for name, gradient in forward.gradients.items()
        )
