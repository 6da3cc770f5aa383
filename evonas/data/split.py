"""Stratified splits that depend on what the images hold and on the seed, never on the order of rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from evonas.errors import DataError

PARTS = 3  # train, search, report
TEST_FRACTION = 0.2
TEST_SEED = 20  # a constant: the test part must not move with a run's seed
SHOWN = 40
"""Classes that an error names."""
_WORD = (1 << 64) - 1


def order_keys(digests: np.ndarray, seed: int) -> np.ndarray:
    """Return one pseudo-random number per image, a function of the image and the seed alone.

    The mixer is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).

    Args:
        digests: Hashes of the images, uint8, shape (n, 16).
        seed: Any non-negative integer.

    Returns:
        uint64, shape (n,); sorting by it shuffles the images.
    """
    words = np.ascontiguousarray(digests[:, :8]).view("<u8")[:, 0].astype(np.uint64)
    return _mix(words ^ _mix(np.array([seed & _WORD], dtype=np.uint64)))


def _mix(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[np.uint64] = words ^ (words >> np.uint64(31))
    return mixed


def rows_by_class(labels: np.ndarray, keys: np.ndarray, classes: int) -> list[np.ndarray]:
    """Return, per class, its rows sorted by key."""
    order = np.lexsort((keys, labels))
    return np.split(order, np.cumsum(np.bincount(labels, minlength=classes))[:-1])


def quotas(counts: np.ndarray, total: int) -> np.ndarray:
    """Divide `total` in proportion to `counts` by largest remainders; each share is within 1 of exact.

    Args:
        counts: Images per class, int64, shape (classes,).
        total: Number to divide, 0 to the sum of `counts`.

    Returns:
        int64, shape (classes,), summing to `total`.
    """
    whole, remainder = np.divmod(counts.astype(np.int64) * total, counts.sum())
    first = np.argsort(-remainder, kind="stable")[: total - int(whole.sum())]
    whole[first] += 1
    return whole


def interleave(rows: Sequence[np.ndarray], keys: np.ndarray) -> np.ndarray:
    """Join the rows of all classes so that every prefix holds them in nearly their proportions."""
    joined = np.concatenate(rows)
    position = np.concatenate([(np.arange(len(part)) + 0.5) / max(1, len(part)) for part in rows])
    return joined[np.lexsort((keys[joined], position))]


def limit_rows(labels: np.ndarray, keys: np.ndarray, classes: Sequence[str], limit: int | None) -> np.ndarray:
    """Return the rows of a stratified subset.

    Args:
        labels: int64 in 0..K-1, shape (n,).
        keys: From `order_keys`, shape (n,).
        classes: Names of the K classes.
        limit: Size of the subset; all rows where it is None or at least n.

    Raises:
        DataError: A class would be left with fewer than three images.
    """
    if limit is None or limit >= len(labels):
        return np.arange(len(labels))
    rows = rows_by_class(labels, keys, len(classes))
    counts = quotas(np.array([len(part) for part in rows]), limit)
    if counts.min() < PARTS:
        name = classes[int(counts.argmin())]
        raise DataError(
            f"A limit of {limit} training images leaves {counts.min()} of class '{name}', "
            f"at least {PARTS} are needed: raise the limit"
        )
    return np.concatenate([part[:count] for part, count in zip(rows, counts, strict=True)])


def hold_out(labels: np.ndarray, keys: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Take a fifth of each class away as the test part, for data that bring none.

    Args:
        labels: int64 in 0..K-1, shape (n,).
        keys: From `order_keys`, with a seed of no run, shape (n,).
        classes: Names of the K classes.

    Returns:
        Rows for training and rows for test, both in ascending order.

    Raises:
        DataError: A class has fewer than four images.
    """
    _expect(labels, classes, PARTS + 1, "for three training parts and the test part")
    rows = rows_by_class(labels, keys, len(classes))
    cuts = [max(1, _round(len(part) * TEST_FRACTION)) for part in rows]
    test = np.concatenate([part[:cut] for part, cut in zip(rows, cuts, strict=True)])
    train = np.concatenate([part[cut:] for part, cut in zip(rows, cuts, strict=True)])
    return np.sort(train), np.sort(test)


def divide(
    labels: np.ndarray, keys: np.ndarray, classes: Sequence[str], validation: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split training rows into `train`, `search` and `report`, the last two of which are for validation.

    Args:
        labels: int64 in 0..K-1, shape (n,).
        keys: From `order_keys`, shape (n,).
        classes: Names of the K classes.
        validation: Share of each class that goes to `search` and `report`, in (0, 1); rounded so that every
            part keeps at least one image of each class. These two differ by at most one image, per class and
            in all.

    Returns:
        Rows of train, search and report; each is ordered so that every prefix is nearly stratified.

    Raises:
        DataError: A class has fewer than three images.
    """
    _expect(labels, classes, PARTS, "one for each of the parts train, search and report")
    train, search, report = [], [], []
    odd = 0
    for rows in rows_by_class(labels, keys, len(classes)):
        count = min(max(_round(len(rows) * validation), 2), len(rows) - 1)
        # Classes of odd counts take turns in giving their extra image, so that neither part gets them all.
        half = (count + 1 - odd) // 2
        odd = (odd + count) % 2
        search.append(rows[:half])
        report.append(rows[half:count])
        train.append(rows[count:])
    return interleave(train, keys), interleave(search, keys), interleave(report, keys)


def halve(labels: np.ndarray, keys: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Split the rows of a validation part into `search` and `report`, as `divide` splits its share.

    Args:
        labels: int64 in 0..K-1, shape (n,).
        keys: From `order_keys`, shape (n,).
        classes: Names of the K classes.

    Raises:
        DataError: There are fewer than two images.
    """
    if len(labels) < 2:
        raise DataError(
            f"Expected at least two validation images, one to select on and one to report, got {len(labels)}"
        )
    search, report, odd = [], [], 0
    for rows in rows_by_class(labels, keys, len(classes)):
        half = (len(rows) + 1 - odd) // 2
        odd = (odd + len(rows)) % 2
        search.append(rows[:half])
        report.append(rows[half:])
    return interleave(search, keys), interleave(report, keys)


def _expect(labels: np.ndarray, classes: Sequence[str], least: int, why: str) -> None:
    counts = np.bincount(labels, minlength=len(classes))
    if rare := [(count, name) for name, count in zip(classes, counts.tolist(), strict=True) if count < least]:
        shown = ", ".join(f"'{name}' {count}" for count, name in sorted(rare)[:SHOWN])
        more = f" and {len(rare) - SHOWN} more" if len(rare) > SHOWN else ""
        what = "A class has" if len(rare) == 1 else f"{len(rare)} of {len(classes)} classes have"
        raise DataError(
            f"{what} too few training images for the split: {shown}{more}; "
            f"at least {least} are needed ({why}): add images or leave {'it' if len(rare) == 1 else 'them'} out"
        )


def _round(value: float) -> int:
    return int(value + 0.5)
