"""Groups of images that belong together (patient, speaker, scene): no split of ours puts one into two parts."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from evonas.data.decode import EncodedImages
from evonas.data.split import PARTS, TEST_FRACTION, TEST_SEED, order_keys
from evonas.errors import DataError, suggest

__all__ = [
    "divide_groups",
    "group_column",
    "halve_groups",
    "hold_out_groups",
    "read_group_table",
    "shared_groups",
    "split_groups",
    "with_groups",
]

ORDERS = 32
"""Orders of the groups that are tried; the split nearest to the shares asked for is taken."""
FILES = ("file", "filename", "file_name", "path", "image", "image_path", "name")
"""Headings of the column of files in a table of groups, in small letters."""
SHOWN = 5


def split_groups(
    labels: np.ndarray, groups: np.ndarray, shares: Sequence[float], classes: Sequence[str], seed: int
) -> list[np.ndarray]:
    """Divide images into parts of given shares, each group whole and the classes as near to their shares as can be.

    Groups are taken one after the other, those of the most unequal classes first, each to the part in which it lowers
    the squared deviations from the shares most, as scikit-learn's `StratifiedGroupKFold` does for equal ones; of
    several orders the best is taken, one in which every part has every class before others. The outcome depends on
    the names of the groups, their labels and the seed, never on the order of images.

    Args:
        labels: int64 in 0..K-1, shape (n,).
        groups: Name of each image's group, shape (n,).
        shares: Of each part, above 0; the first part is that of training, in which each class must be.
        classes: Names of the K classes.
        seed: Of the order, at least 0.

    Returns:
        Rows of each part, ascending.

    Raises:
        DataError: There are fewer groups than parts, or training would lack a class whatever the order.
    """
    names, member = np.unique(groups, return_inverse=True)
    if len(names) < len(shares):
        raise DataError(
            f"Expected at least {len(shares)} groups, one for each part, got {len(names)} "
            f"({', '.join(names[:SHOWN])}): leave out --group, or add images of other groups"
        )
    counts = np.zeros((len(names), len(classes)), dtype=np.int64)
    np.add.at(counts, (member, labels), 1)
    hashes = [hashlib.blake2b(str(one).encode(), digest_size=16).digest() for one in names]
    digests = np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, 16)
    wanted = np.array(shares) / sum(shares)
    best: tuple[tuple[int, float], np.ndarray] | None = None
    for attempt in range(ORDERS):
        keys = order_keys(digests, seed * ORDERS + attempt)
        parts, held = _assign(counts, wanted, keys)
        lacking = int((held == 0).sum()) + len(classes) * len(wanted) * int((held[0] == 0).sum())
        away = float(np.square(held / np.maximum(counts.sum(axis=0), 1) - wanted[:, None]).sum())
        if best is None or (lacking, away) < best[0]:
            best = (lacking, away), parts
    assert best is not None
    rows = [np.flatnonzero(best[1][member] == part) for part in range(len(wanted))]
    if missing := [name for k, name in enumerate(classes) if not (labels[rows[0]] == k).any()]:
        raise DataError(
            f"No training image would be left of {', '.join(missing[:SHOWN])}: these classes stand in too few groups "
            "to be split; leave out --group, or add images of other groups"
        )
    if empty := sum(not len(part) for part in rows):
        raise DataError(f"{empty} of {len(rows)} parts would have no image: expected more groups than {len(names)}")
    return rows


def _assign(counts: np.ndarray, shares: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the part of each group, and images of each class by part, shape (parts, K)."""
    total = np.maximum(counts.sum(axis=0), 1)
    spread = np.round(counts.std(axis=1), 9)
    parts = np.empty(len(counts), dtype=np.int64)
    held = np.zeros((len(shares), counts.shape[1]), dtype=np.int64)
    for group in np.lexsort((keys, -spread)):
        before = (held / total - shares[:, None]) ** 2
        after = ((held + counts[group]) / total - shares[:, None]) ** 2
        part = int(((after - before) / shares[:, None]).sum(axis=1).argmin())
        parts[group] = part
        held[part] += counts[group]
    return parts, held


def hold_out_groups(labels: np.ndarray, groups: np.ndarray, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return rows for training and for test, whole groups, for data that bring no test part; whatever a run's seed."""
    train, test = split_groups(labels, groups, (1 - TEST_FRACTION, TEST_FRACTION), classes, TEST_SEED)
    return train, test


def divide_groups(
    labels: np.ndarray, groups: np.ndarray, classes: Sequence[str], validation: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return rows of train, search and report, whole groups; see `evonas.data.split.divide`."""
    shares = (1 - validation, validation / (PARTS - 1), validation / (PARTS - 1))
    train, search, report = split_groups(labels, groups, shares, classes, seed)
    return train, search, report


def halve_groups(
    labels: np.ndarray, groups: np.ndarray, classes: Sequence[str], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of search and report of a given validation part, whole groups.

    Raises:
        DataError: It has one group only.
    """
    present, own = np.unique(labels, return_inverse=True)
    try:
        search, report = split_groups(own, groups, (0.5, 0.5), [classes[k] for k in present], seed)
    except DataError as error:
        raise DataError(f"The validation part cannot be halved by groups: {error}") from error
    return search, report


def shared_groups(parts: Mapping[str, np.ndarray | None]) -> list[str]:
    """Return warnings of groups that stand in two given parts, a sentence each.

    Args:
        parts: Groups of each given part's images by its name, ``train`` among them.
    """
    held = {part: set(groups.tolist()) for part, groups in parts.items() if groups is not None}
    names = list(held)
    return [
        f"{len(common)} groups stand in the {first} part and in the {second} part, such as {min(common)}"
        for i, first in enumerate(names)
        for second in names[i + 1 :]
        if (common := held[first] & held[second])
    ]


def group_column(values: Sequence[object] | np.ndarray, column: str, where: str) -> np.ndarray:
    """Return the groups of images as text.

    Raises:
        DataError: A cell is empty.
    """
    texts = ["" if value is None or value != value else str(value).strip() for value in values]
    if empty := texts.count(""):
        raise DataError(
            f"Expected a group in each row of column '{column}' in {where}, {empty} are empty: fill them in"
        )
    return np.array(texts, dtype=np.str_)


def read_group_table(root: Path, names: Sequence[str], column: str) -> np.ndarray:
    """Return the groups of a folder's images, from a CSV in the folder or beside it.

    Its rows name a file, by its path from the folder or, where only one image is called so, by its name alone.

    Args:
        root: The folder.
        names: Path of each image from the folder.
        column: Heading of the column of groups.

    Raises:
        DataError: No table has that column, several have, or an image has no row.
    """
    found: dict[Path, list[dict[str, str]]] = {}
    seen: list[str] = []
    for table in sorted({*root.glob("*.[cC][sS][vV]"), *root.resolve().parent.glob("*.[cC][sS][vV]")}):
        heading, rows = _read_rows(table)
        seen += [name for name in heading if name.lower() not in FILES]
        if column in heading and any(name.lower() in FILES for name in heading):
            found[table] = rows
    if len(found) != 1:
        held = ", ".join(str(table) for table in found) or f"none{suggest(column, seen)}"
        raise DataError(
            f"Expected one CSV in '{root}' or beside it with the columns file and {column}, got {held}; name the "
            "column of groups by --group"
        )
    ((table, rows),) = found.items()
    key = next(name for name in rows[0] if name.lower() in FILES) if rows else FILES[0]
    groups = {Path(row[key].strip().replace("\\", "/")).as_posix(): row[column] for row in rows if row.get(key)}
    last: dict[str, list[str]] = {}
    for name in names:
        last.setdefault(Path(name).name, []).append(name)
    values = [
        groups.get(Path(name).as_posix(), groups.get(Path(name).name) if len(last[Path(name).name]) == 1 else None)
        for name in names
    ]
    if lacking := [name for name, value in zip(names, values, strict=True) if value is None]:
        raise DataError(
            f"'{table}' has no group of {len(lacking)} of {len(names)} images, such as {lacking[0]}: add their rows"
        )
    return group_column(values, column, f"'{table}'")


def with_groups(parts: Mapping[str, EncodedImages], root: Path, column: str | None) -> dict[str, EncodedImages]:
    """Return the images of a folder's parts with their groups, from a table in the folder or beside it.

    Args:
        parts: By part; their names are paths from the folder.
        root: The folder.
        column: Heading of the column of groups; None: as they are.

    Raises:
        DataError: See `read_group_table`.
    """
    if column is None:
        return dict(parts)
    groups = read_group_table(root, [name for images in parts.values() for name in images.names], column)
    ends = np.cumsum([len(images) for images in parts.values()])[:-1]
    split = np.split(groups, ends)
    return {part: replace(images, groups=own) for (part, images), own in zip(parts.items(), split, strict=True)}


def _read_rows(table: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Return headings and rows of a CSV; nothing of one that cannot be read, which may be no table of ours."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            rows = list(reader)
            return [str(name).strip() for name in reader.fieldnames or ()], [
                {str(key).strip(): value or "" for key, value in row.items() if key} for row in rows
            ]
    except (OSError, UnicodeDecodeError, csv.Error):
        return [], []
