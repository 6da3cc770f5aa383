"""Mixed images with mixed labels: mixup and CutMix.

References:
    .. [Zhang2018] Zhang et al.: mixup: Beyond Empirical Risk Minimization, ICLR 2018, arXiv 1710.09412.
    .. [Yun2019] Yun et al.: CutMix, ICCV 2019, arXiv 1905.04899.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from evonas.errors import SettingsError

__all__ = ["CutMix", "MixUp"]


def _beta(alpha: float, generator: torch.Generator) -> float:
    """Return a number of the Beta distribution with both parameters alpha, by two of the Gamma distribution."""
    shape = torch.tensor([alpha, alpha], dtype=torch.float64)
    first, second = torch._standard_gamma(shape, generator=generator).tolist()
    return float(first / (first + second)) if first + second > 0 else 0.5


@dataclass(frozen=True)
class MixUp:
    """Images as weighted means of themselves and a partner of their batch ([Zhang2018]_ equation 2).

    Attributes:
        alpha: Of the Beta distribution that a batch's weight is drawn from, above 0.
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise SettingsError(f"Expected alpha of mixup above 0, got {self.alpha:g}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
        """Return mixed images, each one's partner, and the weight of its own label.

        Args:
            images: Floats, shape (n, c, h, w).
            generator: The only source of randomness, on the CPU.
        """
        weight = _beta(self.alpha, generator)
        partner = torch.randperm(len(images), generator=generator).to(images.device)
        return weight * images + (1 - weight) * images[partner], partner, weight


@dataclass(frozen=True)
class CutMix:
    """Images with a rectangle of a partner of their batch ([Yun2019]_ equations 1 and 2).

    Attributes:
        alpha: Of the Beta distribution that the share of the own image is drawn from, above 0.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise SettingsError(f"Expected alpha of cutmix above 0, got {self.alpha:g}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
        """Return mixed images, each one's partner, and the share of the image that is its own.

        Args:
            images: Floats, shape (n, c, h, w).
            generator: The only source of randomness, on the CPU.
        """
        n, _, height, width = images.shape
        side = (1 - _beta(self.alpha, generator)) ** 0.5
        partner = torch.randperm(n, generator=generator).to(images.device)
        y, x = (int(torch.randint(size, (1,), generator=generator)) for size in (height, width))
        top, bottom = (min(max(y + sign * round(height * side) // 2, 0), height) for sign in (-1, 1))
        left, right = (min(max(x + sign * round(width * side) // 2, 0), width) for sign in (-1, 1))
        mixed = images.clone()
        mixed[:, :, top:bottom, left:right] = images[partner][:, :, top:bottom, left:right]
        return mixed, partner, 1 - (bottom - top) * (right - left) / (height * width)
