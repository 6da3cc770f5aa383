"""Bringing images to another resolution."""

from __future__ import annotations

import torch
from torch.nn.functional import interpolate, pad

from evonas.data.photo import cropped_size, fitted_size
from evonas.files.size import Size, height_width

CHUNK = 1024  # images turned to float32 at once, so that a data set is not held four times over


def resize(images: torch.Tensor, resolution: Size, fit: str = "crop") -> torch.Tensor:
    """Resize images: the part at the center of each that has the result's shape, or all of it.

    Antialiased bilinear interpolation: a shrunk pixel is the weighted mean of those that it covers.

    Args:
        images: uint8 or floating, shape (n, c, h, w).
        resolution: Size of the result.
        fit: See `evonas.data.photo.read_photo`.

    Returns:
        Same type and device, shape (n, c, height, width); `images` itself where it fits already.
    """
    height, width = images.shape[2:]
    wanted = height_width(resolution)
    if (height, width) == wanted:
        return images
    if fit == "crop":
        rows, columns = cropped_size((height, width), wanted)
        top, left = (height - rows) // 2, (width - columns) // 2
        return _interpolated(images[:, :, top : top + rows, left : left + columns], wanted)
    whole = _interpolated(images, fitted_size((height, width), wanted, fit))
    below, right = wanted[0] - whole.shape[2], wanted[1] - whole.shape[3]
    return pad(whole, (right // 2, right - right // 2, below // 2, below - below // 2))


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
