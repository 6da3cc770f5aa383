"""Network that takes images in [0, 1]: its normalization, and what reads its outputs out, are inside."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evonas.data.resize import resize
from evonas.files.size import Size

__all__ = ["Tempered", "UnitInput"]


class UnitInput(nn.Module):
    """A network that takes values in [0, 1] and normalizes them itself.

    Args:
        network: Takes normalized images.
        mean: Mean of each of the c channels, in [0, 1].
        std: Standard deviation likewise, above 0.
        readout: What follows the network; None: nothing.
        resolution: What images are brought to first; None: they stay as they are.
    """

    input_mean: Tensor
    input_std: Tensor

    def __init__(
        self,
        network: nn.Module,
        mean: Sequence[float],
        std: Sequence[float],
        readout: nn.Module | None = None,
        resolution: Size | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.readout = readout or nn.Identity()
        self.resolution = resolution
        self.register_buffer("input_mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("input_std", torch.tensor(std, dtype=torch.float32).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (n, classes), or values in the targets' units, of images (n, c, h, w) in [0, 1]."""
        if self.resolution is not None:
            images = resize(images, self.resolution)
        outputs: Tensor = self.readout(self.network((images - self.input_mean) / self.input_std))
        return outputs


class Tempered(nn.Module):
    """Logits over a temperature: their order stays, as rounded division by a positive number keeps it.

    Args:
        temperature: Above 0.
    """

    temperature: Tensor

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.register_buffer("temperature", torch.tensor(temperature, dtype=torch.float32))

    def forward(self, logits: Tensor) -> Tensor:
        """Return logits of the same shape."""
        return logits / self.temperature
