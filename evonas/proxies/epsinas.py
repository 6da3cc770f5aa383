"""Epsinas: difference of a network's outputs under two constant weights."""

from __future__ import annotations

from typing import Literal, Unpack

import torch
from torch import Tensor
from torch.func import functional_call

from evonas.errors import EvaluationError, SettingsError
from evonas.proxies.forward import Forward, check_logits
from evonas.proxies.initialize import batch_statistics
from evonas.proxies.proxy import Needs, Options, Proxy

CONSTANTS = (1e-7, 1.0)
PRECISIONS = {"float32": torch.float32, "float64": torch.float64}


class Epsinas(Proxy):
    """Relative difference mean |q1 - q2| / mean (q1, q2) of the outputs under two constant weights.

    q1 and q2 are the outputs min-max normalized over the batch, minima left out, with every weight, norms'
    included, set to 1e-7 (q1) and to 1 (q2), every bias to 0; norms use the batch's statistics. No labels, no
    gradients; real images only. More is better (Gracheva 2025, epsinas, Artificial Intelligence Review; as in the
    authors' code for NAS-Bench-201).

    It does not see what equal weights make equal: how many channels there are, and which of them are read. It does
    not score networks that underflow or whose outputs do not tell images apart.

    Args:
        precision: ``"float64"``, or ``"float32"`` as published, where powers of 1e-7 underflow: over a third of the
            cells of NAS-Bench-201 have no score then, good ones among them, and the others the same.
        options: Those of `Proxy`.

    Raises:
        SettingsError: Another precision, or an option that is out of range.
    """

    name = "epsinas"
    direction = "max"
    needs = Needs(initialization="own", batch=256)

    def __init__(self, *, precision: Literal["float32", "float64"] = "float64", **options: Unpack[Options]) -> None:
        super().__init__(**options)
        if precision not in PRECISIONS:
            raise SettingsError(f"expected a precision of {' or '.join(PRECISIONS)} of epsinas, got '{precision}'")
        self.precision = precision

    def measure(self, forward: Forward) -> float:
        """Return the score."""
        network, dtype = forward.network, PRECISIONS[self.precision]
        images = forward.images.to(dtype)
        outputs = []
        for constant in CONSTANTS:
            constants = {"weight": constant, "bias": 0.0}
            state = {
                name: torch.full_like(value.detach(), constants[kind], dtype=dtype)
                if (kind := name.rpartition(".")[2]) in constants
                else value.detach().to(dtype)
                for name, value in network.named_parameters()
            }
            with torch.no_grad(), batch_statistics(network):
                floating = [(name, value) for name, value in network.named_buffers() if value.is_floating_point()]
                state |= {name: value.to(dtype) for name, value in floating}
                logits = check_logits(functional_call(network, state, (images.clone(),)))
            outputs.append(logits.flatten(1))
        if all(_copies(logits) for logits in outputs):
            outputs = [logits[:, 0] for logits in outputs]
        return epsilon(*outputs)


def _copies(logits: Tensor) -> bool:
    """Whether all classes are equal, as a constant head makes them: then one of them is enough.

    They differ by rounding, which would turn copies of the minimum into values a hair above it.
    """
    first = logits[:, :1]
    return bool((logits - first).abs().max() <= 1e-5 * first.abs().max())


def epsilon(first: Tensor, second: Tensor) -> float:
    """Return mean |q1 - q2| / mean of both, q being the min-max normalized outputs without their zeros.

    Args:
        first: Outputs under the first weight, any shape.
        second: Outputs under the second weight, same shape.

    Raises:
        EvaluationError: Outputs under one weight are all equal, or no output is above the minimum in both.
    """
    normalized = []
    for constant, outputs in zip(CONSTANTS, (first, second), strict=True):
        values = outputs.flatten()
        span = values.max() - values.min()
        if span == 0:
            raise EvaluationError(
                f"expected outputs that tell images apart, got equal ones under the weight {constant:g}: "
                "they underflow or no path leads from the images to the outputs"
            )
        scaled = (values - values.min()) / span
        normalized.append(torch.where(scaled == 0, torch.nan, scaled))
    q1, q2 = normalized
    difference = (q1 - q2).abs().nanmean()
    if not bool(difference.isfinite()):
        raise EvaluationError("expected outputs above the minimum under both weights, got none in common")
    return (difference / torch.cat((q1, q2)).nanmean()).item()
