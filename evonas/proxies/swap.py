"""SWAP-Score: number of distinct sample-wise activation patterns of an untrained network."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Unpack

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from evonas.errors import EvaluationError, SettingsError
from evonas.proxies.forward import Forward, check_logits
from evonas.proxies.initialize import GaussianWeights, batch_statistics
from evonas.proxies.patterns import count_packed, join, packing
from evonas.proxies.proxy import Needs, Options, Proxy, Sizes

CHUNK = 8  # re-initializations per pass: more of them leave the processor's cache and gain nothing


class SaturationWarning(UserWarning):
    """A pattern count so near its bound 2^S that it no longer tells networks apart."""


class Swap(Proxy):
    """SWAP-Score Psi = \\|{p_v}\\|: the number of distinct patterns of neurons over a batch, averaged over weights.

    The pattern of neuron v is p_v = (1[z_v(x_1) > 0], ..., 1[z_v(x_S) > 0]), z_v being what enters its activation.
    Weights are N(0, 1), biases 0, norms scale by 1, shift by 0 and use the batch's statistics. More is
    better. Regularized, it is multiplied by f = exp(-(theta - mu)^2 / sigma), theta being the network's
    parameters in thousands, all of them, the classifier's among them (Peng et al. 2024, SWAP-NAS, definitions 3.2 and
    3.3); `SwapRegularized` has named settings for mu and sigma.

    It does not see functional activations and gates, sizes of values, what comes after the last activation, nor
    labels; pooling and skips only by what later activations make of them. It saturates at 2^S, and it sees no
    cell or stage that its skeleton leaves out.

    Args:
        mu: Preferred size in thousand parameters; with `sigma`, or neither.
        sigma: Width of the preference, > 0, in thousand parameters squared.
        theta: Whose parameters count: ``"scored"``, as published those of the network that is scored, or
            ``"target"``, those of the network that is searched.
        options: Those of `Proxy`; 4 repeats are enough inside a search.

    Raises:
        SettingsError: An option, `mu`, `sigma` or `theta` is out of range.
    """

    name = "swap"
    direction = "max"

    needs = Needs(skeleton="proxy", initialization="own", batch=16, repeats=32)

    def __init__(
        self,
        *,
        mu: float | None = None,
        sigma: float | None = None,
        theta: Sizes = "scored",
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        if (mu is None) != (sigma is None) or (sigma is not None and not sigma > 0):
            raise SettingsError(f"expected both mu and sigma > 0, or neither, got mu={mu} and sigma={sigma}")
        if theta not in ("scored", "target"):
            raise SettingsError(f"expected a theta of 'scored' or 'target' of the proxy '{self.name}', got '{theta}'")
        self.mu, self.sigma, self.theta = mu, sigma, theta
        if mu is not None:
            self.needs = replace(self.needs, head=True, sizes=theta)

    def measure(self, forward: Forward) -> float:
        """Average the pattern counts, warn where they saturate, and regularize."""
        counts = swap_counts(forward.network, forward.images, forward.generator, self.needs.repeats)
        mean = counts.double().mean().item()
        samples = len(forward.images)
        if mean > 2.0 ** (samples - 1):
            warnings.warn(
                f"{mean:.0f} of at most 2^{samples} patterns: the score saturates and ranks poorly; use more "
                "images or a smaller proxy skeleton",
                SaturationWarning,
                stacklevel=4,
            )
        if self.mu is None or self.sigma is None:
            return mean
        return mean * regularization(self._parameters(forward) / 1000, self.mu, self.sigma)

    def _parameters(self, forward: Forward) -> int:
        if self.theta == "scored":
            return sum(parameter.numel() for parameter in forward.network.parameters())
        if forward.target_parameters is None:
            raise EvaluationError("expected the parameters of the searched network, got none: pass target_parameters")
        return forward.target_parameters


def regularization(theta: float, mu: float, sigma: float) -> float:
    """Return f(theta) = exp(-(theta - mu)^2 / sigma), which is 1 at mu and 1/e at mu +- sqrt(sigma)."""
    return math.exp(-((theta - mu) ** 2) / sigma)


def swap_counts(network: nn.Module, images: Tensor, generator: torch.Generator, repeats: int) -> Tensor:
    """Count the patterns of a network under each of several random weights.

    Args:
        network: Stand-alone network; it is not changed.
        images: Normalized images, shape (S, channels, height, width).
        generator: Source of the weights.
        repeats: Number of re-initializations, R >= 1.

    Returns:
        Shape (R,), int64. The counts do not depend on how many re-initializations run in one pass.

    Raises:
        EvaluationError: No activation with a 4-D input, or outputs that are not finite.
    """
    samples = len(images)
    with torch.no_grad(), batch_statistics(network):
        counts = [count_packed(packed, samples) for packed in _passes(network, images, generator, repeats)]
    return torch.cat(counts)


def _passes(network: nn.Module, images: Tensor, generator: torch.Generator, repeats: int) -> Iterator[Tensor]:
    """Yield packed patterns, shape (re-initializations of the pass, digits, neurons)."""
    weights = GaussianWeights(network)

    def run(drawn: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        with packing(network) as packed:
            logits = functional_call(network, {**weights.constants, **drawn}, (images.clone(),))
        return logits, join(packed)

    def run_each(drawn: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        rows = max(len(values) for values in drawn.values())
        outputs = [run({name: values[row] for name, values in drawn.items()}) for row in range(rows)]
        return torch.stack([logits for logits, _ in outputs]), torch.stack([packed for _, packed in outputs])

    run_all = vmap(run)
    for start in range(0, repeats, CHUNK):
        drawn = weights.draw(min(CHUNK, repeats - start), generator)
        try:
            logits, packed = run_all(drawn)
        except RuntimeError:  # code that vmap cannot follow, such as a branch on a tensor's value
            run_all = run_each
            logits, packed = run_all(drawn)
        check_logits(logits)
        yield packed
