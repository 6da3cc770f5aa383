"""Filters that corruptions are made of: Gaussian and other blurs, resampling by boxes, random fields.

Images are floats from 0 to 1, shape (n, c, h, w). Random numbers are drawn on the CPU, the same for every device.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

__all__ = ["boxed", "drawn_normal", "drawn_uniform", "mirrored", "moved", "smoothed", "trailed"]


def drawn_uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator, like: Tensor) -> Tensor:
    """Return random numbers between two, of the type and on the device of a tensor."""
    return (low + (high - low) * torch.rand(shape, generator=generator)).to(like)


def drawn_normal(shape: tuple[int, ...], generator: torch.Generator, like: Tensor) -> Tensor:
    """Return normal random numbers, of the type and on the device of a tensor."""
    return torch.randn(shape, generator=generator).to(like)


def smoothed(images: Tensor, deviation: float, reach: float = 4.0) -> Tensor:
    """Return images under a Gaussian blur; beyond the border they are mirrored.

    Args:
        images: Floats.
        deviation: In pixels; 0: no blur.
        reach: Deviations after which the kernel ends.
    """
    if deviation <= 0:
        return images
    rows, columns = (_blur_matrix(size, deviation, reach, images) for size in images.shape[2:])
    return rows @ images @ columns.T


def _blur_matrix(size: int, deviation: float, reach: float, like: Tensor) -> Tensor:
    """Return the matrix of a Gaussian blur along one axis: mirrored pixels add to those that they show."""
    most = int(reach * deviation + 0.5)
    offsets = torch.arange(-most, most + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (offsets / deviation) ** 2)
    weights /= weights.sum()
    shown = mirrored(torch.arange(size)[:, None] + offsets.long(), size)
    matrix = torch.zeros(size, size, dtype=torch.float64)
    return matrix.scatter_add_(1, shown, weights.expand(size, -1)).to(like)


def mirrored(positions: Tensor, size: int) -> Tensor:
    """Return the pixels that positions along an axis show; beyond the border an image is mirrored, ever again.

    Args:
        positions: Whole numbers, below 0 and from `size` on beyond the border.
        size: Pixels of the axis.
    """
    around = positions % (2 * size)
    return torch.where(around < size, around, 2 * size - 1 - around)


def boxed(images: Tensor, factor: float) -> Tensor:
    """Return images shrunk by a factor, each new pixel the mean of those whose centers it covers, and enlarged again.

    So Pillow's ``BOX`` does.

    Args:
        images: Floats.
        factor: In (0, 1]; sides are rounded down, and are at least 1.
    """
    small = images
    for axis in (2, 3):
        size = images.shape[axis]
        edges = torch.linspace(0, size, max(1, int(size * factor)) + 1, dtype=torch.float64)
        centers = torch.arange(size, dtype=torch.float64) + 0.5
        covered = ((centers > edges[:-1, None]) & (centers <= edges[1:, None])).double()
        matrix = (covered / covered.sum(1, keepdim=True)).to(images)
        small = matrix @ small if axis == 2 else small @ matrix.T
    return torch.nn.functional.interpolate(small, images.shape[2:], mode="nearest-exact")


def moved(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Return images whose every pixel shows what stands elsewhere, bilinear, mirrored beyond the border.

    Args:
        images: Floats.
        down, right: How far away in pixels, shape (n, h, w).
    """
    height, width = images.shape[2:]
    y = torch.arange(height, device=images.device)[None, :, None] + down
    x = torch.arange(width, device=images.device)[None, None, :] + right
    grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1).to(images)
    return grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def trailed(images: Tensor, radius: float, deviation: float, angle: Tensor, unit: float) -> Tensor:
    """Return images blurred one way along a line, as a moving camera does: half a Gaussian of ``2 radius + 1`` taps.

    Args:
        images: Floats.
        radius, deviation: In published pixels.
        angle: Of each image, in degrees, shape (n,).
        unit: Pixels of a published pixel.
    """
    taps = torch.arange(int(2 * radius) + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (taps / deviation) ** 2)
    weights /= weights.sum()
    turn = angle * (math.pi / 180)
    down, right = turn.sin()[:, None, None] * unit, turn.cos()[:, None, None] * unit
    total = torch.zeros_like(images)
    plain = torch.zeros(images.shape[0], *images.shape[2:]).to(images)
    for tap, weight in zip(taps.tolist(), weights.tolist(), strict=True):
        if weight > 1e-4:
            total += weight * moved(images, plain + tap * down, plain + tap * right)
    return total
