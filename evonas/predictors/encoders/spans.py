"""Spans: the entries of rows of different lengths that stand one after the other in one array."""

from __future__ import annotations

import numpy as np

__all__ = ["taken_spans"]


def taken_spans(starts: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the entries of some rows, and where each of these rows then starts, both int64.

    Args:
        starts: Row i has the entries ``starts[i]:starts[i + 1]``, shape ``(n + 1,)``.
        rows: Which, in that order.
    """
    lengths = np.diff(starts)[rows]
    new = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return np.arange(new[-1]) + np.repeat(starts[rows] - new[:-1], lengths), new
