"""AugMix: images mixed with chains of operations on themselves, for consistent answers.

References:
    .. [Hendrycks2020] Hendrycks et al.: AugMix, ICLR 2020, arXiv 1912.02781.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from evonas.data.rand_augment import OPERATIONS
from evonas.errors import SettingsError

__all__ = ["AugMix"]

LEFT_OUT = ("identity", "color", "contrast", "brightness", "sharpness")
"""Operations that overlap with common corruptions, and the one that does nothing ([Hendrycks2020]_ section 3)."""
STRONGEST = 10


@dataclass(frozen=True)
class AugMix:
    """Mixtures of an image and of chains of operations on it ([Hendrycks2020]_ algorithm 1).

    Attributes:
        width: Chains, whose weights are drawn from a Dirichlet distribution of ones.
        depth: Most operations in a chain, 1 or more.
        severity: Largest strength of an operation, of 10.
    """

    width: int = 3
    depth: int = 3
    severity: float = 3.0

    def __post_init__(self) -> None:
        if not (self.width >= 1 and self.depth >= 1 and 0 < self.severity <= STRONGEST):
            raise SettingsError(
                f"Expected AugMix of one chain of one operation or more and a severity of 0 to {STRONGEST}, got "
                f"{self.width}, {self.depth} and {self.severity:g}"
            )

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return mixtures, float32 from 0 to 255.

        Args:
            images: From 0 to 255, shape (n, c, h, w), any device.
            generator: The only source of randomness, on the CPU.
        """
        values, n = images.float(), len(images)
        shares = -torch.log(torch.rand((n, self.width), generator=generator).clamp(min=1e-12))
        shares = (shares / shares.sum(1, keepdim=True)).to(values)
        chains = torch.zeros_like(values)
        for chain in range(self.width):
            long = torch.randint(1, self.depth + 1, (n,), generator=generator)
            changed = values
            for step in range(self.depth):
                changed = self._step(changed, long > step, generator)
            chains += shares[:, chain, None, None, None] * changed
        own = torch.rand((n, 1, 1, 1), generator=generator).to(values)  # Beta(1, 1)
        return own * values + (1 - own) * chains

    def _step(self, values: Tensor, chosen: Tensor, generator: torch.Generator) -> Tensor:
        """Return images of which the chosen ones had one more operation, each its own."""
        names = [name for name in OPERATIONS if name not in LEFT_OUT]
        drawn = torch.randint(len(names), (len(values),), generator=generator)
        signs = torch.randint(2, (len(values),), generator=generator) * 2 - 1
        level = 0.1 + (self.severity - 0.1) * torch.rand(len(values), generator=generator)
        strength = (signs * level / STRONGEST).to(values)
        found = values.clone()
        for number, name in enumerate(names):
            rows = torch.nonzero((drawn == number) & chosen)[:, 0].to(values.device)
            if len(rows):
                # Some operations read whole numbers.
                found[rows] = OPERATIONS[name](values[rows].round(), strength[rows]).clamp(0, 255)
        return found
