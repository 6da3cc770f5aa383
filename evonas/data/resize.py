"""Bringing images to another resolution."""

from __future__ import annotations

import torch
from torch.nn.functional import interpolate, pad

from evonas.data.photo import fitted_size

CHUNK = 1024  # images turned to float32 at once, so that a data set is not held four times over


def resize(images: torch.Tensor, resolution: int, fit: str = "crop") -> torch.Tensor:
    """Resize images to squares: the square at the center of each, or all of it.

    Antialiased bilinear interpolation: a shrunk pixel is the weighted mean of those that it covers.

    Args:
        images: uint8 or floating, shape (n, c, h, w).
        resolution: Side of the result in pixels, at least 1.
        fit: ``crop``, the square at the center; ``pad``, all of the image between black bars; ``stretch``, all of it,
            its sides drawn to one length.

    Returns:
        Same type and device, shape (n, c, resolution, resolution); `images` itself where it fits already.
    """
    height, width = images.shape[2:]
    if height == width == resolution:
        return images
    if fit == "crop":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        return _interpolated(images[:, :, top : top + side, left : left + side], (resolution, resolution))
    whole = _interpolated(images, fitted_size((height, width), resolution, fit))
    top, left = (resolution - whole.shape[2]) // 2, (resolution - whole.shape[3]) // 2
    return pad(whole, (left, resolution - whole.shape[3] - left, top, resolution - whole.shape[2] - top))


def _interpolated(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return images at a height and width."""
    if tuple(images.shape[2:]) == size:
        return images.contiguous()
    if images.is_floating_point():
        return _interpolate(images, size)
    result = images.new_empty(*images.shape[:2], *size)
    for start in range(0, len(images), CHUNK):
        chunk = _interpolate(images[start : start + CHUNK].float(), size)
        result[start : start + CHUNK] = chunk.round_().clamp_(0, 255).to(images.dtype)
    return result


def _interpolate(images: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)
