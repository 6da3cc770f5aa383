"""Names of parts: which part of a data set a folder, a file or an array belongs to."""

from __future__ import annotations

import re

__all__ = ["PARTS", "part_of_name", "part_of_shard", "part_words"]

PARTS = {
    "train": ("train", "training", "trn"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "tst"),
}
"""Parts with the words that public data sets call them by."""
_PART = {word: part for part, words in PARTS.items() for word in words}
_SHARD = re.compile(r"(?P<name>.+?)(?:[-_.]\d[\w.-]*)?")
"""Name of a split, then perhaps the number of a file of it: ``train-00000-of-00001``, ``train-0``."""


def part_of_name(name: str) -> str | None:
    """Return the part that a name speaks of: ``train``, ``validation`` or ``test``; None: none, or several.

    A word counts where separators or capitals end it: ``seg_train``, ``Training``, ``x_test``, ``ValImages``.
    """
    words = re.findall(r"[a-z]+", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower())
    found = {_PART[word] for word in words if word in _PART}
    return found.pop() if len(found) == 1 else None


def part_of_shard(stem: str) -> str | None:
    """Return the part that a file of a split holds; None: of a split of another name, such as ``train_clean-0``."""
    match = _SHARD.fullmatch(stem)
    return None if match is None else _PART.get(match["name"].lower())


def part_words() -> frozenset[str]:
    """Return the words that parts are called by, in small letters."""
    return frozenset(_PART)
