"""A part of a data set, and the batches it is read in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch

from evonas.errors import SettingsError

PartName = Literal["train", "search", "report", "test"]
"""Names of the parts of a data set."""


@dataclass(frozen=True, eq=False)
class Part:
    """Labeled images on one device.

    Attributes:
        images: uint8, shape (n, c, h, w).
        labels: int64, shape (n,), values 0..K-1; of continuous targets float32, shape (n, k).
    """

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> Part:
        """Return the part on another device."""
        return Part(self.images.to(device), self.labels.to(device))


def count_batches(n: int, batch_size: int, *, drop_last: bool = False) -> int:
    """Return how many batches `batches` gives of `n` images."""
    return max(1, n // batch_size) if drop_last else -(-n // batch_size)


def batches(
    part: Part, batch_size: int, generator: torch.Generator | None = None, *, drop_last: bool = False
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Go through a part once, in batches of images and labels.

    The generator is drawn from once, when this is called, not while the batches are read.

    Args:
        part: What to go through.
        batch_size: Images per batch, at least 1.
        generator: Shuffles the images; None keeps their order. One on the CPU gives every device one order.
        drop_last: Leave out the last batch where it is incomplete, unless it is the only one.

    Raises:
        SettingsError: `batch_size` is below 1.
    """
    if batch_size < 1:
        raise SettingsError(f"Expected a batch size of at least 1, got {batch_size}")
    n = len(part)
    starts = [i * batch_size for i in range(count_batches(n, batch_size, drop_last=drop_last))]
    if generator is None:
        return ((part.images[i : i + batch_size], part.labels[i : i + batch_size]) for i in starts)
    order = torch.randperm(n, generator=generator, device=generator.device).to(part.labels.device)
    rows = (order[i : i + batch_size] for i in starts)
    return ((part.images[some], part.labels[some]) for some in rows)
