"""Operations on batches of images that augmentation is made of: warps, blends, and those of Pillow's ImageOps.

Values are float32 from 0 to 255 and are not rounded here; shapes are (n, c, h, w), factors (n,).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, conv2d, grid_sample

__all__ = [
    "blend",
    "brightened",
    "contrasted",
    "equalized",
    "hue_turned",
    "luma",
    "saturated",
    "sharpened",
    "stretched",
    "warped",
]

GRAY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in gray (ITU-R BT.601)."""
YIQ = ((0.299, 0.587, 0.114), (0.595716, -0.274453, -0.321263), (0.211456, -0.522591, 0.311135))
"""From red, green and blue to luma and two axes of chroma, in which a turn is one of hue."""


def warped(images: Tensor, matrix: Tensor, beyond: str) -> Tensor:
    """Return images as an affine map of coordinates shows them, bilinear.

    Args:
        images: uint8 or floats.
        matrix: From a point of the result to one of the image, in units of half a side from the center, (n, 2, 3).
        beyond: What stands beyond the border: ``zeros`` or ``border``.

    Returns:
        Of the images' type.
    """
    grid = affine_grid(matrix, list(images.shape), align_corners=False)
    found = grid_sample(images.float(), grid, mode="bilinear", padding_mode=beyond, align_corners=False)
    return found if images.is_floating_point() else found.round().clamp(0, 255).to(images.dtype)


def luma(images: Tensor) -> Tensor:
    """Return the gray of images, one channel; of others than color images the mean of their channels."""
    if images.shape[1] != 3:
        return images.mean(1, keepdim=True)
    weights = torch.tensor(GRAY, dtype=images.dtype, device=images.device).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


def blend(first: Tensor, second: Tensor, factor: Tensor) -> Tensor:
    """Return what lies between two images, or beyond: the first at factor 0, the second at 1; within 0 to 255."""
    share = factor.view(-1, 1, 1, 1)
    return (first + share * (second - first)).clamp(0, 255)


def brightened(images: Tensor, factor: Tensor) -> Tensor:
    """Return images of another brightness: black at factor 0."""
    return blend(torch.zeros_like(images), images, factor)


def contrasted(images: Tensor, factor: Tensor) -> Tensor:
    """Return images of another contrast: at factor 0 the mean of their gray."""
    return blend(luma(images).mean((2, 3), keepdim=True).expand_as(images), images, factor)


def saturated(images: Tensor, factor: Tensor) -> Tensor:
    """Return color images of another saturation: gray at factor 0; others as they are."""
    return blend(luma(images).expand_as(images), images, factor) if images.shape[1] == 3 else images


def hue_turned(images: Tensor, turn: Tensor) -> Tensor:
    """Return color images with their hue turned by a share of the circle; others as they are."""
    if images.shape[1] != 3:
        return images
    forth = torch.tensor(YIQ, dtype=images.dtype, device=images.device)
    angle = turn * (2 * math.pi)
    cos, sin = angle.cos(), angle.sin()
    rotation = torch.zeros(len(images), 3, 3, dtype=images.dtype, device=images.device)
    rotation[:, 0, 0] = 1
    rotation[:, 1, 1], rotation[:, 1, 2], rotation[:, 2, 1], rotation[:, 2, 2] = cos, -sin, sin, cos
    whole = torch.linalg.inv(forth) @ rotation @ forth
    return torch.einsum("nij,njhw->nihw", whole, images).clamp(0, 255)


def sharpened(images: Tensor, factor: Tensor) -> Tensor:
    """Return images sharper or smoother: at factor 0 smoothed as Pillow's ``SMOOTH`` does, its border left alone."""
    channels = images.shape[1]
    kernel = torch.ones(3, 3, dtype=images.dtype, device=images.device)
    kernel[1, 1] = 5
    smooth = images.clone()
    if min(images.shape[2:]) > 2:
        inner = conv2d(images, (kernel / 13).expand(channels, 1, 3, 3), groups=channels)
        smooth[:, :, 1:-1, 1:-1] = inner
    return blend(smooth, images, factor)


def stretched(images: Tensor) -> Tensor:
    """Return images whose channels reach from 0 to 255, as Pillow's ``autocontrast``; plain ones as they are."""
    flat = images.flatten(2)
    low, high = flat.amin(2)[..., None, None], flat.amax(2)[..., None, None]
    wide = high > low
    return torch.where(wide, (images - low) * 255 / (high - low).clamp(min=1), images)


def equalized(images: Tensor) -> Tensor:
    """Return images whose channels' values are spread evenly, as Pillow's ``equalize``.

    Args:
        images: Whole numbers.
    """
    n, channels, height, width = images.shape
    values = images.round().long().view(n * channels, -1)
    counts = torch.zeros(len(values), 256, dtype=torch.long, device=images.device)
    counts.scatter_add_(1, values, torch.ones_like(values))
    # Pillow leaves the last value that occurs out of the sum, and a step of 0 leaves the channel alone.
    highest = values.amax(1, keepdim=True)
    step = (counts.sum(1) - counts.gather(1, highest)[:, 0]) // 255
    table = (torch.cumsum(counts, 1) - counts + (step // 2)[:, None]) // step.clamp(min=1)[:, None]
    mapped = table.clamp(max=255).gather(1, values)
    found = torch.where((step > 0)[:, None], mapped, values)
    return found.view(n, channels, height, width).to(images.dtype)
