"""Digital corruptions: contrast, elastic transforms, pixels, JPEG.

References:
    .. [Simard2003] Simard et al.: Best Practices for Convolutional Neural Networks, ICDAR 2003 (elastic transforms).
    .. [T81] ITU-T Recommendation T.81 (JPEG), annexes A and K.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from evonas.data.corruptions.filters import boxed, drawn_uniform, moved, smoothed

__all__ = ["contrast", "elastic_transform", "jpeg_compression", "pixelate"]

YCBCR = ((0.299, 0.587, 0.114), (-0.168735892, -0.331264108, 0.5), (0.5, -0.418687589, -0.081312411))
"""From red, green and blue to luma and two differences of color (JFIF)."""
LUMA_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
"""Steps of the luma's coefficients at quality 50 ([T81]_ table K.1)."""
COLOR_STEPS = (
    (17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99)
)  # fmt: skip
"""Steps of the color differences' first coefficients ([T81]_ table K.2); all others are 99."""


def contrast(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images drawn towards the mean of each channel."""
    mean = images.mean((2, 3), keepdim=True)
    return mean + values[0] * (images - mean)


def elastic_transform(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images sheared by a random affine map and moved by a smooth random field ([Simard2003]_)."""
    n, _, height, width = images.shape
    side = min(height, width)
    far, smoothness, shear = (value * side for value in values)
    y, x = (torch.arange(size).to(images) - size // 2 for size in (height, width))
    third = side // 3
    # An affine map is what moves three corners of a square of a third of the side, each by chance.
    corners = torch.tensor([[third, third, 1.0], [-third, third, 1.0], [-third, -third, 1.0]]).to(images)
    by = drawn_uniform((n, 3, 2), -shear, shear, generator, images)
    change = torch.linalg.solve(corners.expand(n, -1, -1), by) if third else torch.zeros_like(by)
    moves = []
    for axis in range(2):
        along = change[:, :, axis, None, None]
        field = drawn_uniform((n, 1, height, width), -1, 1, generator, images)
        soft = smoothed(field, smoothness, 3.0)[:, 0] * far
        moves.append(along[:, 0] * x[None, None, :] + along[:, 1] * y[None, :, None] + along[:, 2] + soft)
    return moved(images, moves[1], moves[0])


def pixelate(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images at a lower resolution."""
    return boxed(images, values[0])


def jpeg_compression(images: Tensor, values: tuple[float, ...], unit: float, generator: torch.Generator) -> Tensor:
    """Return images as JPEG of a quality keeps them ([T81]_): blocks of 8 pixels, color at half the resolution.

    Of images of other than three channels each channel is kept as a luma is.
    """
    quality = values[0]
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    tables = torch.full((2, 8, 8), 99.0)
    tables[0], tables[1, :4, :4] = torch.tensor(LUMA_STEPS), torch.tensor(COLOR_STEPS)
    luma_steps, color_steps = torch.floor((tables * scale + 50) / 100).clamp(1, 255).to(images)
    levels = (images * 255).round()
    if images.shape[1] != 3:
        return _kept(levels - 128, luma_steps).add(128) / 255
    forth = torch.tensor(YCBCR).to(images)
    planes = torch.einsum("ij,njhw->nihw", forth, levels)
    height, width = images.shape[2:]
    colors = pad(planes[:, 1:], (0, width % 2, 0, height % 2), mode="replicate")
    small = _kept(avg_pool2d(colors, 2), color_steps)
    colors = interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)[:, :, :height, :width]
    lumas = _kept(planes[:, :1] - 128, luma_steps) + 128
    return torch.einsum("ij,njhw->nihw", torch.linalg.inv(forth), torch.cat([lumas, colors], 1)) / 255


def _kept(planes: Tensor, steps: Tensor) -> Tensor:
    """Return what is left of planes whose blocks' cosine coefficients are rounded to steps."""
    n, channels, height, width = planes.shape
    full = pad(planes, (0, -width % 8, 0, -height % 8), mode="replicate")
    blocks = full.unfold(2, 8, 8).unfold(3, 8, 8)
    k = torch.arange(8, dtype=torch.float64)
    cosine = torch.cos((2 * k + 1) * k[:, None] * (math.pi / 16)) / 2
    cosine[0] /= math.sqrt(2)
    cosine = cosine.to(planes)
    rounded = torch.round(cosine @ blocks @ cosine.T / steps) * steps
    back = (cosine.T @ rounded @ cosine).permute(0, 1, 2, 4, 3, 5)
    return back.reshape(n, channels, *full.shape[2:])[:, :, :height, :width]
