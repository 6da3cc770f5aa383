"""Counts of the parts of architectures, in the form of a sparse matrix, beside statistics that cost nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.predictors.encoders.spans import taken_spans

__all__ = ["TokenCounts"]


@dataclass(frozen=True)
class TokenCounts:
    """Descriptions of architectures: the tokens that each has, and its statistics.

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

    def __getitem__(self, rows: np.ndarray) -> TokenCounts:
        """Return some rows, in that order."""
        entries, starts = taken_spans(self.starts, rows)
        return TokenCounts(starts, self.tokens[entries], self.counts[entries], self.statistics[rows])
