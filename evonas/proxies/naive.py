"""SWAP-Score counted as its definition reads: what the packed count must equal, and outrun."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from evonas.errors import EvaluationError
from evonas.proxies.forward import check_logits
from evonas.proxies.initialize import GaussianWeights, batch_statistics
from evonas.proxies.patterns import ACTIVATIONS


def naive_patterns(network: nn.Module, images: Tensor) -> int:
    """Count the patterns of a network as it stands: keep all activations, take signs, find unique rows.

    Args:
        network: Network with its weights and modes as they are to count.
        images: Shape (S, channels, height, width).

    Raises:
        EvaluationError: No activation with a 4-D input, or outputs that are not finite.
    """
    with torch.no_grad():
        return _count(network, {}, images)


def naive_counts(network: nn.Module, images: Tensor, generator: torch.Generator, repeats: int) -> Tensor:
    """Count what `evonas.proxies.swap.swap_counts` counts, with the same weights, one network at a time.

    Args:
        network: Stand-alone network; it is not changed.
        images: Normalized images, shape (S, channels, height, width).
        generator: Source of the weights.
        repeats: Number of re-initializations, R >= 1.

    Returns:
        Shape (R,), int64.

    Raises:
        EvaluationError: No activation with a 4-D input, or outputs that are not finite.
    """
    weights = GaussianWeights(network)
    counts = []
    with torch.no_grad(), batch_statistics(network):
        for _ in range(repeats):
            drawn = {name: values[0] for name, values in weights.draw(1, generator).items()}
            counts.append(_count(network, {**weights.constants, **drawn}, images))
    return torch.tensor(counts)


def _count(network: nn.Module, weights: dict[str, Tensor], images: Tensor) -> int:
    activations: list[Tensor] = []

    def store(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if inputs[0].ndim == 4:
            activations.append(inputs[0].clamp(min=0).flatten(1))

    hooks = [module.register_forward_pre_hook(store) for module in network.modules() if isinstance(module, ACTIVATIONS)]
    try:
        check_logits(functional_call(network, weights, (images.clone(),)))
    finally:
        for hook in hooks:
            hook.remove()
    if not activations:
        raise EvaluationError("expected activation modules with 4-D inputs, got none")
    return len(torch.unique(torch.cat(activations, 1).sign().T, dim=0))
