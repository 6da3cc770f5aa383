"""Columns of token encoders: counts of parts and statistics as numbers, in groups that weigh alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from evonas.predictors.encoders.counts import TokenCounts

__all__ = ["TokenColumns"]


class TokenColumns:
    """Columns of features: the tokens of what is learned from, and statistics, in groups that weigh alike.

    Tokens that none of these has are left out, for nothing is known of them. Columns are in the order of the
    tokens' names, so that sums do not depend on what was described before.

    Args:
        names: Group and token of every number in use.
        known: What is learned from.
        groups: Groups of tokens that get columns; None: all.
        statistics: Whether statistics get columns.
    """

    def __init__(
        self,
        names: Sequence[tuple[str, str]],
        known: TokenCounts,
        groups: Collection[str] | None = None,
        *,
        statistics: bool = True,
    ) -> None:
        present = np.unique(known.tokens).tolist()
        chosen = sorted((n for n in present if groups is None or names[n][0] in groups), key=names.__getitem__)
        self._column = np.full(len(names), -1, dtype=np.int64)
        self._column[chosen] = np.arange(len(chosen))
        counts = self._counts(known)
        held_by = np.array([names[number][0] for number in chosen])
        self._scale = np.ones(len(chosen))
        for group in np.unique(held_by):  # some groups hold many more tokens than others
            held = held_by == group
            variance = counts[:, held].var(axis=0).sum()
            self._scale[held] = 1 / np.sqrt(variance) if variance > 1e-12 else 1.0
        finite = np.where(np.isfinite(known.statistics), known.statistics, np.nan)
        known_somewhere = np.isfinite(finite).any(axis=0)
        self._kept = np.flatnonzero(known_somewhere & statistics)
        # Costs differ by factors, so their logarithms do by steps.
        self._log = (np.nanmin(finite[:, self._kept], axis=0) > 0) if len(self._kept) else np.zeros(0, dtype=bool)
        scaled = self._logged(known)
        self._mean, sd = np.nanmean(scaled, axis=0), np.nanstd(scaled, axis=0)
        self._weight = np.where(sd > 1e-9, 1 / np.maximum(sd, 1e-9), 0.0) / np.sqrt(max(len(self._kept), 1))

    def __call__(self, described: TokenCounts) -> np.ndarray:
        """Return one row per architecture, floats of shape ``(n, columns)``."""
        scaled = (self._logged(described) - self._mean) * self._weight
        return np.concatenate([self._counts(described) * self._scale, np.where(np.isnan(scaled), 0.0, scaled)], axis=1)

    def _counts(self, described: TokenCounts) -> np.ndarray:
        rows = np.repeat(np.arange(len(described)), np.diff(described.starts))
        # Tokens numbered after the columns were made are as unknown as any that no column is for.
        old = described.tokens < len(self._column)
        columns = np.where(old, self._column[np.where(old, described.tokens, 0)], -1)
        seen = columns >= 0
        counts = np.zeros((len(described), int(self._column.max(initial=-1)) + 1))
        counts[rows[seen], columns[seen]] = described.counts[seen]
        return counts

    def _logged(self, described: TokenCounts) -> np.ndarray:
        held = described.statistics[:, self._kept]
        held = np.where(np.isfinite(held), held, np.nan)
        return np.where(self._log, np.log(np.where(held > 0, held, np.nan)), held)
