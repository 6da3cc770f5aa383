"""Noise: of the sensor, of light, of single values."""

from __future__ import annotations

import torch
from torch import Tensor

from evonas.data.corruptions.filters import drawn_normal, drawn_uniform

__all__ = ["gaussian_noise", "impulse_noise", "shot_noise"]


def gaussian_noise(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images with normal noise of a standard deviation."""
    return images + values[0] * drawn_normal(tuple(images.shape), generator, images)


def shot_noise(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images whose values are counts of photons, Poisson."""
    rate = (images.clamp(0, 1) * values[0]).cpu()
    return torch.poisson(rate, generator=generator).to(images) / values[0]


def impulse_noise(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images of which a share of values is 0 or 1, one as often as the other."""
    drawn = drawn_uniform(tuple(images.shape), 0, 1, generator, images)
    salted = torch.where(drawn < values[0] / 2, torch.ones_like(images), images)
    return torch.where(drawn > 1 - values[0] / 2, torch.zeros_like(images), salted)
