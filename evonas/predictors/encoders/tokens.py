"""Encoder of architectures by their parts, counted, and by statistics that cost nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Mapping
from typing import Self

import numpy as np

from evonas.predictors.encoders.columns import TokenColumns
from evonas.predictors.encoders.counts import TokenCounts

__all__ = ["TokenEncoder", "Tokens"]

Tokens = Mapping[str, float]
"""Parts of an architecture and how often it has each."""


class TokenEncoder:
    """Encoder by groups of tokens; what it has described it remembers. Features are arrays of shape ``(n, d)``.

    Args:
        tokens: Groups of tokens of a genome, such as `token_groups` gives; every genome has the same groups.
        statistics: Further numbers of genomes, shape ``(n, k)``, such as FLOPs; NaN where unknown.
        key: Identity of a genome.
    """

    def __init__(
        self,
        tokens: Callable[[np.ndarray], Mapping[str, Tokens]],
        statistics: Callable[[np.ndarray], np.ndarray],
        key: Callable[[np.ndarray], Hashable],
    ) -> None:
        self._tokens, self._statistics, self._key = tokens, statistics, key
        self._numbers: dict[tuple[str, str], int] = {}
        self._known: dict[Hashable, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        self._columns: TokenColumns | None = None

    @property
    def names(self) -> list[tuple[str, str]]:
        """Group and token of every number in use."""
        return list(self._numbers)

    def describe(self, genomes: np.ndarray) -> TokenCounts:
        """Return tokens and statistics of genomes, shape ``(n, n_genes)``."""
        keys = [self._key(genome) for genome in genomes]
        missing = list({key: row for row, key in enumerate(keys) if key not in self._known}.values())
        if missing:
            for row, numbers in zip(missing, self._statistics(genomes[missing]), strict=True):
                self._known[keys[row]] = (*self._numbered(genomes[row]), np.asarray(numbers, dtype=np.float64))
        rows = [self._known[key] for key in keys]
        starts = np.concatenate([[0], np.cumsum([len(tokens) for tokens, _, _ in rows])]).astype(np.int64)
        tokens, counts = (np.concatenate([row[i] for row in rows]) for i in (0, 1))
        return TokenCounts(starts, tokens, counts, np.stack([row[2] for row in rows]))

    def fit(self, known: TokenCounts) -> Self:
        """Return an encoder with columns for the tokens of what will be learned from; descriptions are shared."""
        fitted = copy.copy(self)  # shallow: numbers of tokens must mean the same in both
        fitted._columns = TokenColumns(list(self._numbers), known)
        return fitted

    def transform(self, described: TokenCounts) -> np.ndarray:
        """Return one row per architecture, float64 of shape ``(n, d)``.

        Raises:
            RuntimeError: The encoder is not fitted.
        """
        if self._columns is None:
            raise RuntimeError("Expected a fitted encoder: use what fit() returns.")
        return self._columns(described)

    def _numbered(self, genome: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pairs = [((group, token), n) for group, held in self._tokens(genome).items() for token, n in held.items()]
        numbers = [self._numbers.setdefault(name, len(self._numbers)) for name, _ in pairs]
        return np.array(numbers, dtype=np.int64), np.array([n for _, n in pairs], dtype=np.float64)
