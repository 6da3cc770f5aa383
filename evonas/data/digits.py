"""Scikit-learn's digits: 1797 real images, 8 x 8 pixels in 17 shades of gray, that come with the package."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from evonas.data.arrays import ArrayImages
from evonas.data.read_options import PLAIN, ReadOptions
from evonas.data.source import Source

NAME = "digits"


def read_embedded(source: str, options: ReadOptions = PLAIN) -> Source | None:
    """Return the digits (Alpaydin and Kaynak, "Cascading classifiers", 1998) where `source` is "digits"."""
    if source != NAME:
        return None
    data = load_digits()
    images = ArrayImages(
        np.ascontiguousarray(data.images[:, None], dtype=np.uint8), np.asarray(data.target, dtype=np.int64)
    )
    return Source(NAME, tuple(str(name) for name in data.target_names), images, scale=16.0, mirror=False)
