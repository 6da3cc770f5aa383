"""Bringing images to another resolution."""

from __future__ import annotations

import torch
from torch.nn.functional import interpolate

CHUNK = 1024  # images turned to float32 at once, so that a data set is not held four times over


def resize(images: torch.Tensor, resolution: int) -> torch.Tensor:
    """Resize the square at the center of each image.

    Antialiased bilinear interpolation: a shrunk pixel is the weighted mean of those that it covers.

    Args:
        images: uint8 or floating, shape (n, c, h, w).
        resolution: Side of the result in pixels, at least 1.

    Returns:
        Same type and device, shape (n, c, resolution, resolution); `images` itself where it fits already.
    """
    height, width = images.shape[2:]
    if height == width == resolution:
        return images
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = images[:, :, top : top + side, left : left + side]
    if side == resolution:
        return square.contiguous()
    if images.is_floating_point():
        return _interpolate(square, resolution)
    result = images.new_empty(len(images), images.shape[1], resolution, resolution)
    for start in range(0, len(images), CHUNK):
        chunk = _interpolate(square[start : start + CHUNK].float(), resolution)
        result[start : start + CHUNK] = chunk.round_().clamp_(0, 255).to(images.dtype)
    return result


def _interpolate(images: torch.Tensor, resolution: int) -> torch.Tensor:
    return interpolate(images, size=(resolution, resolution), mode="bilinear", antialias=True, align_corners=False)
