"""Weather: snow, frost, fog, brightness."""

from __future__ import annotations

import torch
from torch import Tensor

from evonas.data.corruptions.blur import zoomed
from evonas.data.corruptions.filters import drawn_normal, drawn_uniform, trailed
from evonas.data.corruptions.plasma import plasma
from evonas.data.image_operations import luma

__all__ = ["brightness", "fog", "frost", "snow"]

FROST_COLOR = (0.84, 0.92, 1.0)
"""Of ice, in red, green and blue; of images of other numbers of channels it is white."""
FROST_DECAY = 1.35
"""Of the clouds that ice is made of: much fine structure."""


def snow(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images with flakes that fall, and whitened."""
    mean, deviation, zoom, threshold, radius, trail, share = values
    n, _, height, width = images.shape
    flakes = mean + deviation * drawn_normal((n, 1, height, width), generator, images)
    flakes = zoomed(flakes, max(1.0, zoom * unit))
    flakes = torch.where(flakes < threshold, 0.0, flakes).clamp(0, 1)
    angle = drawn_uniform((n,), -135, -45, generator, images)
    flakes = trailed(flakes, radius, trail, angle, unit)
    white = torch.maximum(images, luma(images) * 1.5 + 0.5)
    return share * images + (1 - share) * white + flakes + flakes.flip((2, 3))


def frost(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images behind crystals of ice.

    The published code lays photos of frost over images; here crystals are the ridges of clouds, drawn for each image.
    """
    n, channels, height, width = images.shape
    ridges = 1 - (2 * plasma(n, height, width, FROST_DECAY, generator, images) - 1).abs()
    color = torch.tensor(FROST_COLOR if channels == 3 else (1.0,) * channels).to(images).view(1, -1, 1, 1)
    return values[0] * images + values[1] * (ridges**1.5)[:, None] * color


def fog(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images behind a cloud, scaled back to their own brightest value."""
    n, _, height, width = images.shape
    brightest = images.amax((1, 2, 3), keepdim=True)
    foggy = images + values[0] * plasma(n, height, width, values[1], generator, images)[:, None]
    return foggy * brightest / (brightest + values[0])


def brightness(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images whose value, the brightest of a pixel's channels, is raised; hue and saturation stay."""
    value = images.amax(1, keepdim=True)
    raised = (value + values[0]).clamp(0, 1)
    return torch.where(value > 0, images * raised / value.clamp(min=1e-12), raised)
