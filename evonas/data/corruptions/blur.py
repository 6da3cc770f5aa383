"""Blurs: out of focus, through frosted glass, in motion, in zooming."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from evonas.data.corruptions.filters import drawn_uniform, mirrored, moved, smoothed, trailed
from evonas.data.image_operations import warped

__all__ = ["defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "zoomed"]


def defocus_blur(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images under a disk whose edge is smoothed."""
    radius, edge = values[0] * unit, values[1] * unit
    reach = int(radius + 4 * edge + 1)
    places = torch.arange(-reach, reach + 1).to(images)
    disk = (places[:, None] ** 2 + places**2 <= radius**2).to(images)
    kernel = smoothed(disk[None, None], edge)
    channels = images.shape[1]
    rows, columns = (
        mirrored(torch.arange(-reach, size + reach, device=images.device), size) for size in images.shape[2:]
    )
    wide = images[:, :, rows][:, :, :, columns]
    return conv2d(wide, (kernel / kernel.sum()).expand(channels, 1, -1, -1).contiguous(), groups=channels)


def glass_blur(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images whose pixels are taken from random places nearby, blurred before and after.

    The published code swaps pixels one by one; here each is read from a place of its own, all at once.
    """
    deviation, reach, times = values[0] * unit, round(values[1] * unit), int(values[2])
    found = smoothed(images, deviation)
    shape = (len(images), *images.shape[2:])
    for _ in range(times if reach else 0):
        down, right = (
            drawn_uniform(shape, -reach - 0.5, reach + 0.5, generator, images).round().clamp(-reach, reach)
            for _ in range(2)
        )
        found = moved(found, down, right)
    return smoothed(found, deviation)


def motion_blur(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images blurred along a line of random direction, within 45 degrees of the horizontal."""
    angle = drawn_uniform((len(images),), -45, 45, generator, images)
    return trailed(images, values[0], values[1], angle, unit)


def zoom_blur(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return the mean of images and their zooms, from none to the largest."""
    most, step = values
    factors = [1 + i * step for i in range(round((most - 1) / step) + 1)]
    return (images + torch.stack([zoomed(images, factor) for factor in factors]).sum(0)) / (len(factors) + 1)


def zoomed(images: Tensor, factor: float) -> Tensor:
    """Return the middle of images, enlarged to their size, bilinear."""
    matrix = torch.tensor([[1 / factor, 0, 0], [0, 1 / factor, 0]]).to(images)
    return warped(images, matrix.expand(len(images), -1, -1), "border")
