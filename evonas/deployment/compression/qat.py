"""Quantization-aware fine-tuning: a few epochs in which weights and activations are rounded as 8-bit integers are.

References:
    .. [Jacob2018a] Jacob et al.: Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
       Inference, CVPR 2018, arXiv 1712.05877, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from evonas.data import Dataset
from evonas.networks import Gate, Network
from evonas.training import load_recipe
from evonas.training.train import train

MEMORY = 0.99
"""Weight of what was seen before in the running range of an activation."""
_LEVELS = 255


class RoundedWeight(nn.Module):
    """Weights rounded to 8 signed bits for each output channel; gradients pass as if they were not."""

    def forward(self, weight: Tensor) -> Tensor:
        """Return the rounded weights, of the same shape."""
        scale = weight.detach().flatten(1).abs().amax(dim=1).clamp_min(1e-12) / 127
        scale = scale.view(-1, *[1] * (weight.dim() - 1))
        rounded = (weight.detach() / scale).round() * scale
        return weight + (rounded - weight.detach())


class RoundedActivation:
    """Inputs of a layer rounded to 8 unsigned bits within their running range; gradients pass inside it."""

    def __init__(self) -> None:
        self.low = self.high = 0.0
        self.seen = False

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Round a layer's first input; called by torch before the layer's own forward."""
        values, *rest = inputs
        if module.training:
            low, high = float(values.detach().min()), float(values.detach().max())
            keep = MEMORY if self.seen else 0.0
            # Zero must be a level: padding is made of it.
            self.low = min(0.0, keep * self.low + (1 - keep) * low)
            self.high = max(0.0, keep * self.high + (1 - keep) * high)
            self.seen = True
        if not self.seen or self.high == self.low:
            return inputs
        scale = (self.high - self.low) / _LEVELS
        zero = round(-self.low / scale)
        rounded = torch.fake_quantize_per_tensor_affine(values, scale, zero, 0, _LEVELS)
        return (rounded, *rest)


def layers(network: nn.Module) -> list[nn.Module]:
    """Return the convolutions and fully connected layers of a network that are in no gate."""
    inside = {part for gate in network.modules() if isinstance(gate, Gate) for part in gate.modules()}
    return [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.Linear) and part not in inside]


@contextmanager
def rounding(network: nn.Module) -> Iterator[None]:
    """Let a network compute as its 8-bit form does while inside; its weights are then its own again, not rounded."""
    chosen = layers(network)
    hooks = [part.register_forward_pre_hook(RoundedActivation()) for part in chosen]
    for part in chosen:
        parametrize.register_parametrization(part, "weight", RoundedWeight())
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for part in chosen:
            parametrize.remove_parametrizations(part, "weight", leave_parametrized=False)


def fine_tune(
    network: Network,
    data: Dataset,
    epochs: int,
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[int, int, Any], None] | None = None,
) -> Network:
    """Return a copy of a trained network whose weights make up for rounding ([Jacob2018a]_).

    Scales are for each output channel, so that folding a norm into a convolution later changes no rounding; statistics
    of norms stay. Validation images are not trained on: variants are compared on them.

    Args:
        network: Trained; it is left as it is.
        data: Its data.
        epochs: Passes over the training part, 1 or more.
        seed: Of the order of images and their augmentation.
        device: Where it is trained.
        progress: Called after each update with updates done, updates in all, and figures.
    """
    tuned = deepcopy(network)
    recipe = load_recipe("qat", epochs=epochs)
    with rounding(tuned):
        train(tuned, data, recipe, seed=seed, device=device, progress=progress)
    return tuned.cpu().eval()
