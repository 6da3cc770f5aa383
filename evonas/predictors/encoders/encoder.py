"""Contract of encoders: architectures as what a regressor learns from."""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
from typing_extensions import TypeVar

__all__ = ["Described", "Encoder"]


class Described(Protocol):
    """Architectures as an encoder describes them, in order; rows of it are taken without describing anything again."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: np.ndarray) -> Self:
        """Return some rows, int64 of shape ``(k,)``, in that order."""
        ...


D = TypeVar("D", bound=Described, default=Any)
"""Descriptions of an encoder."""
F = TypeVar("F", covariant=True, default=Any)
"""Features: an array of shape ``(n, d)``, a sequence of graphs, or whatever else the regressors used with it read."""


class Encoder(Protocol[D, F]):
    """Encoder of genomes in three steps, so that what depends on the genome alone is done once.

    `describe` depends on the genomes alone and is remembered; `fit` learns from the architectures that a regressor
    will learn from, such as which parts occur and how they are scaled; `transform` gives what the regressor reads.
    """

    def describe(self, genomes: np.ndarray) -> D:
        """Return descriptions of genomes, shape ``(n, n_genes)``."""
        ...

    def fit(self, known: D) -> Self:
        """Return an encoder fitted to what will be learned from; this one stays as it is.

        Args:
            known: Descriptions of one or more architectures.
        """
        ...

    def transform(self, described: D) -> F:
        """Return features of architectures, one per description, in order.

        Raises:
            RuntimeError: The encoder is not fitted.
        """
        ...
