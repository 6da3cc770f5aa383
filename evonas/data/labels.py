"""Labels of any unambiguous kind: integers of any base, booleans, words; numbered 0 to K-1 for all parts alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evonas.errors import DataError

__all__ = ["number_labels", "read_labels", "read_one_hot"]


def read_labels(values: object, what: str) -> np.ndarray:
    """Return labels as integers or as text, shape (n,).

    Args:
        values: Integers, booleans, or text (bytes are read as UTF-8), shape (n,) or (n, 1); or one column for each
            class, 1 in that of the image and 0 elsewhere.
        what: What to call them in an error.

    Raises:
        DataError: Another type or shape, soft labels, or text that is no UTF-8.
    """
    labels = np.asarray(values)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "iufb" and read_one_hot(labels, what):
        labels = labels.argmax(axis=1)
    if labels.dtype.kind == "O":
        labels = _plain(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iubUS":
        raise DataError(
            f"Expected {what} to be integers, booleans or words of shape (n,), got {labels.dtype} of shape "
            f"{labels.shape}: number the classes 0..K-1"
        )
    if labels.dtype.kind == "S":
        try:
            labels = np.char.decode(labels, "utf-8")
        except UnicodeDecodeError:
            raise DataError(f"Expected {what} as text in UTF-8, got other bytes: write them as text") from None
    return labels if labels.dtype.kind == "U" else labels.astype(np.int64)


def number_labels(
    parts: Mapping[str, np.ndarray], names: Sequence[str | bytes] | None, where: str
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Return labels numbered 0 to K-1, the same in all parts, and the names of the K classes.

    Words are numbered in their order; integers count from the lowest of the training part where no names are given,
    -1 and 1 are two classes.

    Args:
        parts: By part, ``train`` among them, what `read_labels` gives.
        names: Names of the classes, label k meaning ``names[k]``; None: labels name themselves.
        where: What to call the data in an error.

    Raises:
        DataError: A part has a class that training lacks, or labels of another kind; integers leave gaps.
    """
    train = parts["train"]
    if len({labels.dtype.kind for labels in parts.values()}) > 1:
        kinds = ", ".join(f"{part}: {labels.dtype}" for part, labels in parts.items())
        raise DataError(f"Expected labels of one kind in all parts of '{where}', got {kinds}: write them alike")
    if train.dtype.kind == "U":
        return _number_words(parts, where)
    if names is not None:
        decoded = tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names)
        return dict(parts), decoded
    found = np.unique(train)
    if found.tolist() == [-1, 1]:
        return {part: (labels > 0).astype(np.int64) for part, labels in parts.items()}, ("-1", "1")
    base = int(found[0]) if len(found) and len(found) == found[-1] - found[0] + 1 else 0
    if len(found) and found[-1] - base >= len(train):
        raise DataError(
            f"Expected labels without gaps, got up to {found[-1]} for {len(train)} images: renumber them from 0"
        )
    classes = tuple(str(label) for label in range(base, int(found[-1]) + 1)) if len(found) else ()
    return {part: labels - base for part, labels in parts.items()}, classes


def _number_words(parts: Mapping[str, np.ndarray], where: str) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    classes = np.unique(parts["train"])
    for part, labels in parts.items():
        if strange := sorted(set(labels.tolist()) - set(classes.tolist())):
            raise DataError(
                f"The {part} part of '{where}' has a class '{strange[0]}' that training lacks: make them equal"
            )
    numbered = {part: np.searchsorted(classes, labels).astype(np.int64) for part, labels in parts.items()}
    return numbered, tuple(classes.tolist())


def read_one_hot(labels: np.ndarray, what: str) -> bool:
    """Return whether each row is 1 in one column and 0 elsewhere.

    Raises:
        DataError: Rows are shares of classes.
    """
    if labels.shape[1] < 2 or not len(labels):
        return False
    if ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all():
        return True
    if labels.dtype.kind == "f" and (labels >= 0).all() and np.allclose(labels.sum(axis=1), 1.0, atol=1e-3):
        raise DataError(f"Expected one class for each image in {what}, got shares of classes that add up to 1")
    return False


def _plain(labels: np.ndarray) -> np.ndarray:
    """Return Python objects as an array of one type where they have one."""
    kinds = {type(value) for value in labels.ravel().tolist()}
    return labels.astype(str) if kinds == {str} else labels.astype(np.int64) if kinds <= {int, bool} else labels
