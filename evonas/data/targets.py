"""Continuous targets of images: checked, named, and sorted into strata for the split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.errors import DataError

STRATA, LEAST = 10, 8
"""Most strata of a split, and the images that each has at least where there are as many."""


def as_targets(values: object, what: str) -> np.ndarray:
    """Return continuous targets as float32, shape (n, k).

    Args:
        values: Finite floats, shape (n,) or (n, k).
        what: What to call them in an error.

    Raises:
        DataError: Another shape or type, NaN or infinity.
    """
    targets = np.asarray(values)
    if targets.ndim == 1:
        targets = targets[:, None]
    if targets.ndim != 2 or targets.shape[1] == 0 or targets.dtype.kind != "f":
        raise DataError(
            f"Expected {what} to be floats of shape (n,) or (n, k), got {targets.dtype} of shape {targets.shape}"
        )
    bad = int((~np.isfinite(targets)).any(axis=1).sum())
    if bad:
        raise DataError(f"Expected finite targets in {what}, {bad} of {len(targets)} rows hold NaN or infinity")
    return targets.astype(np.float32)


def name_targets(names: Sequence[object] | None, targets: np.ndarray, where: str) -> tuple[str, ...]:
    """Return the names of the k targets: those given, else ``target``, or ``target 1`` to ``target k``.

    Raises:
        DataError: Not one name for each target, or a name twice.
    """
    k = targets.shape[1]
    if names is None:
        return ("target",) if k == 1 else tuple(f"target {i + 1}" for i in range(k))
    found = tuple(str(name) for name in names)
    if len(found) != k or len(set(found)) != k:
        raise DataError(f"Expected {k} different names of targets in '{where}', got {', '.join(found) or 'none'}")
    return found


def check_targets(train: np.ndarray, test: np.ndarray | None, names: Sequence[str], where: str) -> None:
    """Check that there are targets, as many in both parts, and that each varies.

    Raises:
        DataError: One of these does not hold.
    """
    for part, targets in (("training", train), ("test", test)):
        if targets is not None and len(targets) == 0:
            raise DataError(f"Data '{where}' has no {part} images: at least one is needed")
    if test is not None and test.shape[1] != train.shape[1]:
        raise DataError(
            f"Expected as many targets of test as of training images in '{where}', "
            f"got {test.shape[1]} and {train.shape[1]}"
        )
    for name, column in zip(names, train.T, strict=True):
        if (column == column[0]).all():
            raise DataError(f"Target '{name}' of '{where}' is {column[0]:g} for all images: nothing can be learned")


def strata(targets: np.ndarray, keys: np.ndarray, n: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a stratum of each image by quantiles of its targets, instead of a class, which it lacks.

    Args:
        targets: Shape (n, k); the first one is what is cut into quantiles.
        keys: From `order_keys`, shape (n,): the order of equal targets, whatever the order of rows.
        n: Images that the split leaves, by which the number of strata is chosen.

    Returns:
        int64, shape (n,), in 0..S-1; and names of the S strata.
    """
    values = targets[:, 0]
    count = max(1, min(STRATA, n // LEAST))
    found = np.empty(len(values), dtype=np.int64)
    found[np.lexsort((keys, values))] = np.arange(len(values)) * count // max(1, len(values))
    return found, tuple(f"quantile {i + 1} of {count} of the targets" for i in range(count))
