"""Weights and modes under which networks are scored, all restored or drawn from the caller's generator."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

WEIGHTED = (nn.modules.conv._ConvNd, nn.Linear)
NORMS = (_BatchNorm, nn.GroupNorm, nn.LayerNorm)


def reinitialize(network: nn.Module, generator: torch.Generator) -> nn.Module:
    """Draw a network's weights again by torch's defaults, in place, from a generator and no global state.

    Convolutions and linear layers: weights and biases uniform within 1 / sqrt(fan-in). Norms: scale 1, shift
    0, running mean 0 and variance 1. Parameters of other modules stay.

    Args:
        network: Any network.
        generator: Source of the weights, on any device.

    Returns:
        The same network.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, WEIGHTED):
                bound = 1 / math.sqrt(max(1, module.weight[0].numel()))
                for parameter in (module.weight, module.bias):
                    if parameter is not None:
                        drawn = torch.rand(parameter.shape, generator=generator, device=generator.device)
                        parameter.copy_((2 * drawn - 1) * bound)
            elif isinstance(module, NORMS):
                if isinstance(module, _BatchNorm):
                    module.reset_running_stats()
                for parameter, value in ((module.weight, 1.0), (module.bias, 0.0)):
                    if parameter is not None:
                        parameter.fill_(value)
    return network


class GaussianWeights:
    """Draws of N(0, 1) convolution and linear weights, with zero biases and norms of scale 1 and shift 0.

    Args:
        network: Network whose parameters are to be replaced; it is not changed.
    """

    def __init__(self, network: nn.Module) -> None:
        names = {id(parameter): name for name, parameter in network.named_parameters()}
        self.shapes: dict[str, torch.Size] = {}
        self.constants: dict[str, Tensor] = {}
        for module in network.modules():
            if isinstance(module, WEIGHTED):
                self.shapes[names[id(module.weight)]] = module.weight.shape
            elif isinstance(module, NORMS) and module.weight is not None:
                self.constants[names[id(module.weight)]] = torch.ones_like(module.weight.detach())
            else:
                continue
            if module.bias is not None:
                self.constants[names[id(module.bias)]] = torch.zeros_like(module.bias.detach())
        self.sizes = [shape.numel() for shape in self.shapes.values()]
        first = next(network.parameters(), torch.empty(0))
        self.device, self.dtype = first.device, first.dtype

    def draw(self, number: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Draw weights of `number` networks, the same ones whether drawn at once or one by one.

        Returns:
            Name of each weight -> its values, shape (number, *shape).
        """
        total = sum(self.sizes)
        rows = [torch.randn(total, generator=generator, device=generator.device) for _ in range(number)]
        parts = torch.split(torch.stack(rows).to(self.device, self.dtype), self.sizes, 1)
        return {name: part.reshape(-1, *shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}


@contextmanager
def restored(network: nn.Module) -> Iterator[None]:
    """Give a network back its parameters, buffers, gradients and modes when the context ends."""
    state = [(tensor, tensor.detach().clone()) for tensor in (*network.parameters(), *network.buffers())]
    gradients = [(parameter, parameter.grad, parameter.requires_grad) for parameter in network.parameters()]
    modes = [(module, module.training) for module in network.modules()]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in state:
                tensor.copy_(value)
        for parameter, gradient, required in gradients:
            parameter.grad = gradient
            parameter.requires_grad_(required)
        for module, training in modes:
            module.training = training


@contextmanager
def undisturbed(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode while the context lasts."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def batch_statistics(network: nn.Module) -> Iterator[None]:
    """Let batch norms use the statistics of the batch, and touch no running ones, while the context lasts.

    All else runs as in evaluation, so that dropout stays out of the score.
    """
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    buffers = [(norm, norm.running_mean, norm.running_var, norm.num_batches_tracked) for norm in norms]
    with undisturbed(network):
        try:
            for norm in norms:
                norm.running_mean = norm.running_var = norm.num_batches_tracked = None
                norm.training = True
            yield
        finally:
            for norm, mean, variance, batches in buffers:
                norm.running_mean, norm.running_var, norm.num_batches_tracked = mean, variance, batches
