"""NASWOT: how differently the images of a batch switch the neurons on."""

from __future__ import annotations

import torch

from evonas.errors import EvaluationError
from evonas.proxies.forward import Forward
from evonas.proxies.proxy import Proxy


class Naswot(Proxy):
    """Log-determinant of the kernel that counts, per pair of images, the neurons whose bits agree.

    K_ij = neurons - Hamming distance of the binary codes of images i and j over all activations; a bit is the
    sign before the activation. More is better (Mellor et al. 2021, Neural Architecture Search without
    Training, equations 2 and 3).
    """

    name = "naswot"
    direction = "max"

    def measure(self, forward: Forward) -> float:
        """Return log |det K|."""
        sign, logarithm = torch.linalg.slogdet(forward.kernel)
        if sign <= 0:
            raise EvaluationError(
                "expected images with different activation patterns, got some that no neuron tells apart: "
                "the network loses what distinguishes them, or images repeat"
            )
        return float(logarithm.item())
