"""Ranges of pixel values: which value means white, found over a whole set of images and never for each alone."""

from __future__ import annotations

import numpy as np

from evonas.errors import DataError

__all__ = ["white_of"]

BITS = (8, 10, 12, 14, 16)
"""Depths that cameras and scanners write into integers of 16 bits."""


def white_of(dtype: np.dtype[np.generic], low: float, high: float, what: str) -> float:
    """Return the value that means white.

    Integers mean the least of 8, 10, 12, 14 and 16 bits that holds them; floats in [0, 1] mean shares, and floats
    above 1 up to 255 the values of bytes.

    Args:
        dtype: Type of the values.
        low: Least value of all images.
        high: Largest value of all images.
        what: What to call them in an error.

    Raises:
        DataError: Values that have no such meaning, named with their type.
    """
    if low >= 0 and np.isfinite(high):
        if dtype.kind == "b":
            return 1.0
        if dtype.kind == "f" and high <= 255:
            return 1.0 if high <= 1 else 255.0
        if dtype.kind in "iu":
            for bits in BITS:
                if high < 2**bits:
                    return float(2**bits - 1)
    raise DataError(
        f"Expected {what} as integers of up to 16 bits, as floats in [0, 1] or in [0, 255], got {dtype} from {low:g} "
        f"to {high:g}: give raw pixels, not normalized ones"
    )
