"""Names of parts: which part of a data set a folder, a file or an array belongs to."""

from __future__ import annotations

import re

__all__ = ["PARTS", "is_unlabeled_name", "name_words", "part_of_name", "part_of_shard", "part_words", "split_of_shard"]

PARTS = {
    "train": ("train", "training", "trn"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "tst"),
}
"""Parts with the words that public data sets call them by."""
_PART = {word: part for part, words in PARTS.items() for word in words}
_UNLABELED = frozenset({"pred", "predict", "prediction", "predictions", "unlabeled", "unlabelled"})
_SHARD = re.compile(r"(?P<name>.+?)(?:[-_.]\d[\w.-]*)?")
"""Name of a split, then perhaps the number of a file of it: ``train-00000-of-00001``, ``train-0``."""


def part_of_name(name: str) -> str | None:
    """Return the part that a name speaks of: ``train``, ``validation`` or ``test``; None: none, or several.

    A word counts where separators or capitals end it: ``seg_train``, ``Training``, ``x_test``, ``ValImages``.
    """
    found = {_PART[word] for word in name_words(name) if word in _PART}
    return found.pop() if len(found) == 1 else None


def name_words(name: str) -> set[str]:
    """Return the words of a name in small letters, ended by separators, or by capitals too: ``TeSt``, ``xTest``."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return {word for text in (name, parted) for word in re.findall(r"[a-z]+", text.lower())}


def is_unlabeled_name(name: str) -> bool:
    """Return whether a folder is called one of images without labels: ``seg_pred``, ``unlabeled``."""
    return not name_words(name).isdisjoint(_UNLABELED)


def part_of_shard(stem: str) -> str | None:
    """Return the part that a file of a split holds; None: of a split of another name, such as ``train_clean-0``."""
    return _PART.get(split_of_shard(stem).lower())


def split_of_shard(stem: str) -> str:
    """Return the name of the split that a file is of, without the file's number; digits alone: none, the empty name."""
    if stem[:1].isdigit() and re.fullmatch(r"[\d.-]+", stem):
        return ""
    match = _SHARD.fullmatch(stem)
    return stem if match is None else match["name"]


def part_words() -> frozenset[str]:
    """Return the words that parts are called by, in small letters."""
    return frozenset(_PART)
