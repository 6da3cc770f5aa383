"""Nonlinearity of activation functions under Gaussian inputs, by quadrature."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor, nn

from evonas.errors import EvaluationError

__all__ = ["activation_nlc"]

REACH = 10.0
"""Standard deviations up to which a Gaussian is integrated; 1e-23 of it lies beyond."""
PANELS = 160
"""Of the quadrature, their ends at eighths, so that the kinks of usual activations lie between two."""
NODES = 8
"""Of each panel, by Gauss and Legendre."""


def activation_nlc(activation: nn.Module, mean: Tensor | None = None, sd: Tensor | None = None) -> float:
    """Return the nonlinearity coefficient of an activation under Gaussian inputs, exact for a unit Gaussian.

    NLC^2 = sum_c sd_c^2 E f'(x_c)^2 / sum_c Var f(x_c), with x_c ~ N(mean_c, sd_c^2), c the channels: that of an
    elementwise map of independent inputs (Philipp and Carbonell, arXiv 1806.00179). It is 1 for linear ones and 1.2112
    for a ReLU under a unit Gaussian, where NLC^2 = (1/2) / (1/2 - 1/(2 pi)). With other means and spreads a kink may
    lie inside a panel, which costs up to 1 %.

    Args:
        activation: Acts on each number by itself; it is copied.
        mean: Of the inputs, shape (channels,); 0 where None.
        sd: Standard deviations of the inputs, shape (channels,); 1 where None.

    Raises:
        EvaluationError: The activation puts out one value.
    """
    z, weights = _quadrature()
    mean = torch.zeros(1) if mean is None else mean
    sd = torch.ones(1) if sd is None else sd
    x = (mean.double()[:, None] + sd.double()[:, None] * z).requires_grad_()
    own = copy.deepcopy(activation).double().cpu().eval()
    with torch.enable_grad():
        y: Tensor = own(x.T.clone()).T  # channels last but one, as activations with a weight of each channel expect
        (slope,) = torch.autograd.grad(y.sum(), x)
    stretch = ((sd.double()[:, None] * slope) ** 2 @ weights).sum().item()
    middle = y.detach() @ weights
    spread = ((y.detach() - middle[:, None]) ** 2 @ weights).sum().item()
    if not spread > 0:
        raise EvaluationError(
            f"Expected an activation that tells inputs apart, got {activation}, which is constant there"
        )
    return math.sqrt(stretch / spread)


def _quadrature() -> tuple[Tensor, Tensor]:
    """Return nodes and weights of a unit Gaussian, which sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    edges = np.linspace(-REACH, REACH, PANELS + 1)
    half = (edges[1:] - edges[:-1]) / 2
    z = ((edges[1:] + edges[:-1]) / 2)[:, None] + half[:, None] * nodes
    density = half[:, None] * weights * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return torch.from_numpy(z.ravel()), torch.from_numpy(density.ravel() / density.sum())
