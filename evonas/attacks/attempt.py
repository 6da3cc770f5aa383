"""Outcome of an attack on some images."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

__all__ = ["Attempt"]


class Attempt(NamedTuple):
    """Outcome of an attack.

    Attributes:
        survivors: Which images are classified as labeled, and still are after all that was tried, shape (n,).
        images: Images as they were when they were turned, else as they were tried last; of those that were wrong
            already the images themselves. Shape (n, c, h, w).
    """

    survivors: Tensor
    images: Tensor
