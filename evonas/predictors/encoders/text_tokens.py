"""Tokens of chain texts, and counts of their runs."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

__all__ = ["VOCABULARY", "hashed_ngrams", "text_tokens", "token_numbers"]

VOCABULARY = 1024
"""Numbers that tokens are hashed to; 0 is none's."""
COLUMNS = 512
LONGEST = 3
"""Tokens of the longest runs that are counted."""
_TOKEN = re.compile(r"Value\d+|[A-Za-z_]+|-?\d+(?:\.\d+)?(?:e-?\d+)?|-->|\n")
_NAMED = re.compile(r"Value\d+")


def text_tokens(text: str) -> list[str]:
    """Return words, numbers, arrows and ends of lines; punctuation is left out, for the words' order implies it."""
    return _TOKEN.findall(text)


def token_numbers(text: str, length: int) -> tuple[np.ndarray, bool]:
    """Return the first tokens as numbers from 1, int64 of shape ``(length,)`` filled up by 0, and whether more follow.

    Words are numbered by a hash, equal on every machine; different ones may share a number.
    """
    tokens = text_tokens(text)
    numbers = np.zeros(length, dtype=np.int64)
    kept = tokens[:length]
    numbers[: len(kept)] = [1 + _hash(token) % (VOCABULARY - 1) for token in kept]
    return numbers, len(tokens) > length


def hashed_ngrams(text: str, columns: int = COLUMNS) -> np.ndarray:
    """Return log(1 + count) of runs of one to three tokens, hashed to columns, float64 of shape ``(columns,)``.

    Numbers of values are one token: which value is read is not what runs are about.
    """
    tokens = ["Value" if _NAMED.fullmatch(token) else token for token in text_tokens(text)]
    return hashed_counts(Counter(" ".join(run) for n in range(1, LONGEST + 1) for run in _runs(tokens, n)), columns)


def hashed_counts(counts: Counter[str], columns: int) -> np.ndarray:
    """Return log(1 + count) of names hashed to columns, shape ``(columns,)``."""
    totals = np.zeros(columns)
    for name, count in counts.items():
        totals[_hash(name) % columns] += count
    return np.log1p(totals)


def _runs(tokens: Sequence[str], n: int) -> list[Sequence[str]]:
    return [tokens[i : i + n] for i in range(len(tokens) - n + 1)]


def _hash(text: str) -> int:
    return zlib.crc32(text.encode())
