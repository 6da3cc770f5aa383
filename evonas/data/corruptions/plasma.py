"""Plasma fractals: random clouds, for fog and frost."""

from __future__ import annotations

import torch
from torch import Tensor

from evonas.data.corruptions.filters import drawn_uniform

__all__ = ["plasma"]

FIRST = 100.0
"""What is added at the coarsest step is uniform within the square of this; the outcome is scaled to 0 to 1."""


def plasma(n: int, height: int, width: int, decay: float, generator: torch.Generator, like: Tensor) -> Tensor:
    """Return clouds by the diamond-square algorithm on a torus (Fournier et al. 1982), scaled to 0 to 1.

    Args:
        n, height, width: Shape of the result.
        decay: Factor by which the root of what is added at random falls from step to step.
        generator: The only source of randomness.
        like: Gives type and device.
    """
    size = 2
    while size < max(height, width):
        size *= 2
    cloud = torch.zeros(n, size, size).to(like)
    step, spread = size, FIRST
    while step >= 2:
        half, shape = step // 2, (n, size // step, size // step)

        def around(values: Tensor, shape: tuple[int, ...] = shape, most: float = spread**2) -> Tensor:
            return values / 4 + drawn_uniform(shape, -most, most, generator, like)

        corners = cloud[:, ::step, ::step]
        sides = corners + corners.roll(-1, 1)
        cloud[:, half::step, half::step] = around(sides + sides.roll(-1, 2))
        middles, corners = cloud[:, half::step, half::step], cloud[:, ::step, ::step]
        cloud[:, ::step, half::step] = around(middles + middles.roll(1, 1) + corners + corners.roll(-1, 2))
        cloud[:, half::step, ::step] = around(middles + middles.roll(1, 2) + corners + corners.roll(-1, 1))
        step, spread = half, spread / decay
    cloud = cloud - cloud.amin((1, 2), keepdim=True)
    return (cloud / cloud.amax((1, 2), keepdim=True))[:, :height, :width]
