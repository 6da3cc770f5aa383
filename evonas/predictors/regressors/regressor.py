"""Contract of regressors: from features to a value and how far it may be off."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from typing_extensions import TypeVar

__all__ = ["Regressor"]

F = TypeVar("F", contravariant=True, default=np.ndarray)
"""Features, as `Encoder.transform` gives them: an array of shape ``(n, d)`` unless another encoder is used."""


class Regressor(Protocol[F]):
    """Regressor of one value, which also predicts each value that it learned from as if it had not seen it."""

    max_values: int
    """Number of values from which it can still learn in reasonable time."""

    def fit(self, features: F, values: np.ndarray) -> np.ndarray:
        """Learn from the features of n architectures and values (n,) of mean 0; return left-out predictions, (n,)."""
        ...

    def predict(self, features: F) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations of a further measurement, each shape ``(k,)``."""
        ...
