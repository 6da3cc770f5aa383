"""Encoder of architectures by texts, as numbers of tokens that a transformer reads."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Self

import numpy as np

from evonas.predictors.encoders.text_tokens import token_numbers

__all__ = ["TextEncoder"]

LENGTH = 1024
"""Tokens of a text that are read."""


class TextEncoder:
    """Encoder by texts; features are numbers of tokens, int64 of shape ``(n, length)``, filled up by 0.

    Args:
        text: Returns the text of a genome.
        key: Identity of a genome.
        length: Tokens that are read; what is longer is cut.

    Attributes:
        cut: How many of the texts described so far were cut.
    """

    def __init__(
        self, text: Callable[[np.ndarray], str], key: Callable[[np.ndarray], Hashable], length: int = LENGTH
    ) -> None:
        self._text, self._key, self._length = text, key, length
        self._known: dict[Hashable, np.ndarray] = {}
        self.cut = 0

    @property
    def cut_share(self) -> float:
        """Share of the texts described so far that were cut; 0 where there are none."""
        return self.cut / len(self._known) if self._known else 0.0

    def describe(self, genomes: np.ndarray) -> np.ndarray:
        """Return the tokens of genomes, shape ``(n, n_genes)``."""
        rows = []
        for genome in genomes:
            key = self._key(genome)
            if key not in self._known:
                self._known[key], cut = token_numbers(self._text(genome), self._length)
                self.cut += cut
            rows.append(self._known[key])
        return np.stack(rows)

    def fit(self, known: np.ndarray) -> Self:
        """Return this encoder: nothing of it depends on what is learned from."""
        return self

    def transform(self, described: np.ndarray) -> np.ndarray:
        """Return the tokens as they are."""
        return described
