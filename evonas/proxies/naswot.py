"""NASWOT: differences of the binary codes that the images of a batch leave in the network."""

from __future__ import annotations

import torch

from evonas.errors import EvaluationError
from evonas.proxies.forward import Forward
from evonas.proxies.proxy import Proxy


class Naswot(Proxy):
    """Log-determinant log |det K| of the kernel K_ij = N - d_H(c_i, c_j) of binary codes.

    c_i is the code of image i: one bit for each of the N neurons that are activated, the sign before the activation;
    d_H is the Hamming distance. More is better (Mellor et al. 2021, Neural Architecture Search without Training,
    equations 2 and 3).

    It does not see functional activations and gates, sizes of values, what comes after the last activation, nor
    labels; N alone raises it.
    """

    name = "naswot"
    direction = "max"

    def measure(self, forward: Forward) -> float:
        """Return log |det K|."""
        sign, logarithm = torch.linalg.slogdet(forward.kernel)
        if sign <= 0:
            raise EvaluationError(
                "expected images with different activation patterns, got some that no neuron distinguishes: "
                "the network loses what distinguishes them, or images repeat"
            )
        return float(logarithm.item())
