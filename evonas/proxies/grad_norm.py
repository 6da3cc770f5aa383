"""Gradient norm: size of the loss's gradient at the weights before training."""

from __future__ import annotations

from evonas.proxies.forward import Forward
from evonas.proxies.proxy import Needs, Proxy


class GradNorm(Proxy):
    """Gradient norm: sum over convolution and linear weights w of the Euclidean norm of dL/dw.

    L is the mean cross-entropy of the batch under torch's default weights; norms use the batch's statistics. More is
    better (Abdelfattah et al. 2021, Zero-Cost Proxies for Lightweight NAS, section 3.1).

    It does not see parts that no gradient reaches, nor norms' and biases' gradients; a wider network has a larger
    norm whether or not it learns better.
    """

    name = "grad_norm"
    direction = "max"
    needs = Needs(labels=True)

    def measure(self, forward: Forward) -> float:
        """Return the sum of norms; 0 where no gradient reaches a weight."""
        return sum(float(gradient.double().norm().item()) for gradient in forward.gradients.values())
