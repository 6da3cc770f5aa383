"""Encoder by any function from genomes to features of fixed length, standardized by what is learned from."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable
from typing import Self

import numpy as np

__all__ = ["FeatureEncoder"]


class FeatureEncoder:
    """Encoder by a function of genomes, such as `graph_features` of their graphs or `hashed_ngrams` of their texts.

    Features are arrays of shape ``(n, d)``: columns that vary among what is learned from, with mean 0 and variance
    1 / d, so that distances do not grow with the number of columns. What was described it remembers.

    Args:
        features: Returns the features of a genome, always of one length.
        key: Identity of a genome.
    """

    def __init__(self, features: Callable[[np.ndarray], np.ndarray], key: Callable[[np.ndarray], Hashable]) -> None:
        self._features, self._key = features, key
        self._known: dict[Hashable, np.ndarray] = {}
        self._kept: np.ndarray | None = None
        self._mean = self._scale = np.zeros(0)

    def describe(self, genomes: np.ndarray) -> np.ndarray:
        """Return the features of genomes, shape ``(n, n_genes)``, as they are."""
        rows = []
        for genome in genomes:
            key = self._key(genome)
            if key not in self._known:
                self._known[key] = np.asarray(self._features(genome), dtype=np.float64)
            rows.append(self._known[key])
        return np.stack(rows)

    def fit(self, known: np.ndarray) -> Self:
        """Return an encoder of the columns that vary among what will be learned from; descriptions are shared."""
        fitted = copy.copy(self)
        sd = known.std(axis=0)
        fitted._kept = np.flatnonzero(sd > 1e-9)
        fitted._mean = known.mean(axis=0)[fitted._kept]
        fitted._scale = 1 / (sd[fitted._kept] * np.sqrt(max(len(fitted._kept), 1)))
        return fitted

    def transform(self, described: np.ndarray) -> np.ndarray:
        """Return one row per architecture.

        Raises:
            RuntimeError: The encoder is not fitted.
        """
        if self._kept is None:
            raise RuntimeError("Expected a fitted encoder: use what fit() returns.")
        found: np.ndarray = (described[:, self._kept] - self._mean) * self._scale
        return found
