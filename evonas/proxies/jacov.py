"""Jacov: correlation of the network's gradients at different images."""

from __future__ import annotations

import torch

from evonas.errors import EvaluationError
from evonas.proxies.forward import Forward
from evonas.proxies.proxy import Needs, Proxy

FLOOR = 1e-5  # k of the paper's score, which keeps logarithm and inverse finite


class Jacov(Proxy):
    """Jacobian covariance: -sum_i [log(v_i + k) + 1 / (v_i + k)] with k = 1e-5.

    v are the eigenvalues of the correlation matrix of the gradients of the summed outputs with regard to each
    image. It is at most -n (1 + k) or so, reached where the gradients do not correlate. More is better
    (Mellor et al. 2020, Neural Architecture Search without Training, version 1, section 3).

    It sees the input's gradient alone: neither sizes of outputs or gradients nor labels; widths and kernels move it
    little beside the chance of the weights, so that it needs several draws of them.
    """

    name = "jacov"
    direction = "max"

    # Two single draws agree to 0.9 in rank, for most networks lie within what the weights' chance makes of them.
    needs = Needs(repeats=8)

    def measure(self, forward: Forward) -> float:
        """Return the score."""
        jacobian = forward.jacobian.double()
        centered = jacobian - jacobian.mean(1, keepdim=True)
        norms = centered.norm(dim=1, keepdim=True)
        if bool((norms == 0).any()):
            raise EvaluationError(
                "expected outputs that depend on every image, got a gradient that is constant: no path leads "
                "from the images to the outputs, or its neurons are dead"
            )
        centered = centered / norms
        eigenvalues = torch.linalg.eigvalsh(centered @ centered.T).clamp(min=0) + FLOOR
        return -float((eigenvalues.log() + 1 / eigenvalues).sum().item())
