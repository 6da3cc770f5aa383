"""SNIP: sensitivity of the loss to the removal of each weight."""

from __future__ import annotations

from evonas.proxies.forward import Forward
from evonas.proxies.proxy import Needs, Proxy


class Snip(Proxy):
    """Connection sensitivity: sum over all convolution and linear weights w of \\|w dL/dw\\|.

    L is the mean cross-entropy of the batch under torch's default weights. More is better (Lee et al. 2019, SNIP,
    equation 4; summed over the network by Abdelfattah et al. 2021, Zero-Cost Proxies for Lightweight NAS, section
    3.2).

    It does not see parts that no gradient reaches, nor norms and biases.
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
