"""Warnings of what decoded pixels show: near duplicates, images of one value, few levels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from evonas.data.lazy_images import chunks_of
from evonas.data.resize import resize

__all__ = ["PixelCheck", "difference_hashes", "pixel_warnings"]

LEVELS = 32
"""Different values that the pixels of a part have at least, else they have lost their meaning."""


class PixelCheck:
    """Signs of decoded pixels that something is wrong with data, taken in chunk by chunk."""

    def __init__(self) -> None:
        self._counts = np.zeros(256, dtype=np.int64)
        self._hashes, self._plain = [np.zeros(0, dtype=np.uint64)], 0

    def add(self, chunk: torch.Tensor) -> None:
        """Take in images, uint8, shape (n, c, h, w)."""
        flat = chunk.flatten(2)
        equal = (flat.amin(2) == flat.amax(2)).all(1)
        self._plain += int(equal.sum())
        self._hashes.append(difference_hashes(chunk[~equal]))
        if np.count_nonzero(self._counts) < LEVELS:
            self._counts += np.bincount(chunk.cpu().numpy().ravel(), minlength=256)

    def warnings(self) -> list[str]:
        """Return warnings, a sentence each."""
        found = []
        if self._plain:
            found.append(f"{self._plain} images are of one color alone")
        levels = np.count_nonzero(self._counts)
        if levels < LEVELS:
            found.append(f"pixels have {levels} different values only: were they scaled?")
        _, number = np.unique(np.concatenate(self._hashes), return_counts=True)
        if near := int((number - 1).sum()):
            found.append(f"{near} images look like another one (equal perceptual hash)")
        return found


def pixel_warnings(parts: Sequence[torch.Tensor]) -> list[str]:
    """Return warnings of decoded images, a sentence each.

    Args:
        parts: Each uint8, shape (n, c, h, w).

    Raises:
        UndecodableError: Some lazy ones cannot be decoded; all are named.
    """
    check = PixelCheck()
    for _, chunk in chunks_of(parts):
        check.add(chunk)
    return check.warnings()


def difference_hashes(images: torch.Tensor) -> np.ndarray:
    """Return the perceptual hash of each image: whether brightness rises from each pixel to the next of 9 x 8.

    The difference hash of Krawetz, "Kind of like that" (2013), the square at the center shrunk to 9 x 9 and its last
    row left out.

    Args:
        images: uint8, shape (n, c, h, w).

    Returns:
        uint64, shape (n,).
    """
    if not len(images):
        return np.zeros(0, dtype=np.uint64)
    small = resize(images, 9).float().mean(1)[:, :8]
    bits = (small[:, :, 1:] > small[:, :, :-1]).flatten(1).cpu().numpy()
    packed = np.packbits(bits, axis=1)
    hashes: np.ndarray = np.ascontiguousarray(packed).view(np.uint64)[:, 0]
    return hashes
