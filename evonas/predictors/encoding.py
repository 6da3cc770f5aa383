"""Architectures as numbers that a predictor can learn from: their parts, counted, and statistics that cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

import numpy as np

__all__ = ["Columns", "Encoded", "Encoder", "Tokens"]

Tokens = Mapping[str, float]
"""Parts of an architecture and how often it has each."""


@dataclass(frozen=True)
class Encoded:
    """Encoded architectures: the tokens that each has, and its statistics.

    Attributes:
        starts: Row i has the entries ``starts[i]:starts[i + 1]``, int64 of shape ``(n + 1,)``.
        tokens: Numbers of tokens, int64.
        counts: How often, float64.
        statistics: Float64 of shape ``(n, k)``; NaN where unknown.
    """

    starts: np.ndarray
    tokens: np.ndarray
    counts: np.ndarray
    statistics: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, rows: np.ndarray) -> Encoded:
        """Return some rows, in that order."""
        lengths = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], lengths)
        return Encoded(starts, self.tokens[places], self.counts[places], self.statistics[rows])


class Encoder:
    """Encodes genomes and remembers what it has encoded.

    Args:
        describe: Groups of tokens of a genome, such as `describe` gives; every genome has the same groups.
        statistics: Further numbers of genomes, shape ``(n, k)``, such as FLOPs; NaN where unknown.
        key: Identity of a genome.
    """

    def __init__(
        self,
        describe: Callable[[np.ndarray], Mapping[str, Tokens]],
        statistics: Callable[[np.ndarray], np.ndarray],
        key: Callable[[np.ndarray], Hashable],
    ) -> None:
        self._describe, self._statistics, self._key = describe, statistics, key
        self._numbers: dict[tuple[str, str], int] = {}
        self._known: dict[Hashable, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    @property
    def names(self) -> list[tuple[str, str]]:
        """Group and token of every number."""
        return list(self._numbers)

    def __call__(self, genomes: np.ndarray) -> Encoded:
        """Return the encoded genomes, shape ``(n, n_choices)``."""
        keys = [self._key(genome) for genome in genomes]
        missing = list({key: place for place, key in enumerate(keys) if key not in self._known}.values())
        if missing:
            for place, numbers in zip(missing, self._statistics(genomes[missing]), strict=True):
                self._known[keys[place]] = (*self._numbered(genomes[place]), np.asarray(numbers, dtype=np.float64))
        rows = [self._known[key] for key in keys]
        starts = np.concatenate([[0], np.cumsum([len(tokens) for tokens, _, _ in rows])]).astype(np.int64)
        tokens, counts = (np.concatenate([row[i] for row in rows]) for i in (0, 1))
        return Encoded(starts, tokens, counts, np.stack([row[2] for row in rows]))

    def _numbered(self, genome: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pairs = [((group, token), n) for group, held in self._describe(genome).items() for token, n in held.items()]
        numbers = [self._numbers.setdefault(name, len(self._numbers)) for name, _ in pairs]
        return np.array(numbers, dtype=np.int64), np.array([n for _, n in pairs], dtype=np.float64)


class Columns:
    """Columns of a predictor: the tokens of what it learns from, and statistics, in groups that weigh alike.

    Tokens that none of these has are left out, for nothing is known of them. Columns are in the order of the
    tokens' names, so that sums do not depend on what was encoded before.

    Args:
        encoder: What encoded them.
        known: What the predictor learns from.
    """

    def __init__(self, encoder: Encoder, known: Encoded) -> None:
        names = encoder.names
        chosen = sorted(np.unique(known.tokens).tolist(), key=names.__getitem__)
        self._column = np.full(len(names), -1, dtype=np.int64)
        self._column[chosen] = np.arange(len(chosen))
        counts = self._counts(known)
        groups = np.array([names[number][0] for number in chosen])
        self._scale = np.ones(len(chosen))
        for group in np.unique(groups):  # some groups hold many more tokens than others
            held = groups == group
            variance = counts[:, held].var(axis=0).sum()
            self._scale[held] = 1 / np.sqrt(variance) if variance > 1e-12 else 1.0
        finite = np.where(np.isfinite(known.statistics), known.statistics, np.nan)
        known_somewhere = np.isfinite(finite).any(axis=0)
        self._kept = np.flatnonzero(known_somewhere)
        # Costs differ by factors, so their logarithms do by steps.
        self._log = (np.nanmin(finite[:, self._kept], axis=0) > 0) if len(self._kept) else np.zeros(0, dtype=bool)
        shown = self._logged(known)
        self._mean, sd = np.nanmean(shown, axis=0), np.nanstd(shown, axis=0)
        self._weight = np.where(sd > 1e-9, 1 / np.maximum(sd, 1e-9), 0.0) / np.sqrt(max(len(self._kept), 1))

    def __call__(self, encoded: Encoded) -> np.ndarray:
        """Return one row per architecture, floats of shape ``(n, columns)``."""
        shown = (self._logged(encoded) - self._mean) * self._weight
        return np.concatenate([self._counts(encoded) * self._scale, np.where(np.isnan(shown), 0.0, shown)], axis=1)

    def _counts(self, encoded: Encoded) -> np.ndarray:
        rows = np.repeat(np.arange(len(encoded)), np.diff(encoded.starts))
        # Tokens numbered after the columns were made are as unknown as any that no column is for.
        old = encoded.tokens < len(self._column)
        columns = np.where(old, self._column[np.where(old, encoded.tokens, 0)], -1)
        seen = columns >= 0
        counts = np.zeros((len(encoded), int(self._column.max(initial=-1)) + 1))
        counts[rows[seen], columns[seen]] = encoded.counts[seen]
        return counts

    def _logged(self, encoded: Encoded) -> np.ndarray:
        held = encoded.statistics[:, self._kept]
        held = np.where(np.isfinite(held), held, np.nan)
        return np.where(self._log, np.log(np.where(held > 0, held, np.nan)), held)
