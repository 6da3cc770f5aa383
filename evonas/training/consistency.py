"""Consistency of answers to an image and to mixtures of it.

References:
    .. [Hendrycks2020] Hendrycks et al.: AugMix, ICLR 2020, arXiv 1912.02781.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from evonas.data.augmix import AugMix

__all__ = ["jensen_shannon", "mixed_views"]

VIEWS = 2
"""Mixtures beside the image itself ([Hendrycks2020]_ section 3)."""


def mixed_views(images: Tensor, scale: float, generator: torch.Generator) -> Tensor:
    """Return mixtures of images, the first of each, then the second, shape (2 n, c, h, w), in the images' unit.

    Args:
        images: Values from 0 to `scale`, shape (n, c, h, w).
        scale: The value that means 1.0.
        generator: The only source of randomness, on the CPU.
    """
    unit = images.float() * (255 / scale)
    mix = AugMix()
    return torch.cat([mix(unit, generator) for _ in range(VIEWS)]) * (scale / 255)


def jensen_shannon(outputs: Sequence[Tensor]) -> Tensor:
    """Return the mean Jensen-Shannon divergence of several answers to the same images ([Hendrycks2020]_ equation 2).

    Args:
        outputs: Logits of shape (n, classes) each.
    """
    logs = torch.stack([one.log_softmax(1) for one in outputs])
    mean = logs.exp().mean(0).clamp(min=1e-7).log()
    return (logs.exp() * (logs - mean)).sum(2).mean()
