"""Parquet files of a data set: which of them belong to which part, by the names of files and folders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from evonas.data.part_names import part_of_name, part_of_shard, part_words, split_of_shard
from evonas.data.walk import is_system
from evonas.errors import DataError

__all__ = ["chosen_parts", "parquet_files", "parquet_parts"]

_AROUND = re.compile(r"(?:split=|partial-)", re.IGNORECASE)
"""What stands before the name of a folder of a part: of partitions, and of the hub's conversion of large data sets."""
Homes = Mapping[Path, Mapping[str, list[Path]]]


def parquet_files(root: Path) -> list[Path]:
    """Return the parquet files below a folder, in order, without those that systems and tools keep."""
    found = sorted(root.rglob("*.parquet"))
    return [file for file in found if not any(map(is_system, file.relative_to(root).parts))]


def parquet_parts(root: Path, files: list[Path]) -> tuple[Homes, list[Path]]:
    """Return the files of each part by the folder of their data set, and those of splits of another name.

    A folder holds a data set if it has a training part.
    """
    homes: dict[Path, dict[str, list[Path]]] = {}
    foreign: list[Path] = []
    for file in files:
        part, home = part_of_shard(file.stem), file.parent
        called = _AROUND.sub("", home.name, count=1)
        if part is None and home != root and called.lower() in part_words() and not part_of_name(file.stem):
            part, home = part_of_shard(called), home.parent  # a folder of a part: default/train/0000.parquet
        if part is None:
            foreign.append(file)
        else:
            homes.setdefault(home, {}).setdefault(part, []).append(file)
    named = {} if homes else _by_other_names(foreign)
    return (named, []) if named else (homes, foreign)


def chosen_parts(root: Path, homes: Homes, foreign: list[Path]) -> tuple[dict[str, list[Path]], list[str]]:
    """Return the files of each part of the one data set, and notes on what is none of it or bears another name.

    Raises:
        DataError: There is no training part, or more than one data set.
    """
    every = [*foreign, *(file for parts in homes.values() for held in parts.values() for file in held)]
    names = [str(file.relative_to(root)) for file in every]
    found = {home: parts for home, parts in homes.items() if "train" in parts}
    if not found:
        raise DataError(
            f"Expected train*.parquet or a folder train of parquet files in '{root}', got "
            f"{', '.join(names[:5])}{' and others' if len(names) > 5 else ''}: rename them"
        )
    if root not in found and len(found) > 1:
        raise DataError(
            f"Expected one data set in '{root}', got {len(found)} folders of training files: "
            f"name one, such as '{min(found)}'"
        )
    chosen = root if root in found else next(iter(found))
    others = [file for home, parts in homes.items() if home != chosen for held in parts.values() for file in held]
    left = [str(file.relative_to(root)) for file in [*foreign, *others]]
    notes = [f"Left out {len(left)} parquet files of other splits, such as {left[0]}"] if left else []
    first = found[chosen]["train"][0]
    if part_of_name(first.stem) is None and part_of_name(_AROUND.sub("", first.parent.name)) != "train":
        notes.append(f"No parquet file is called train: {first.name} is taken for training")
    return dict(found[chosen]), notes


def _by_other_names(foreign: list[Path]) -> Homes:
    """Return parts by words in names of splits, ``cifar10_train``, or files of one name as training; else nothing."""
    splits: dict[tuple[Path, str], list[Path]] = {}
    for file in foreign:
        splits.setdefault((file.parent, split_of_shard(file.stem)), []).append(file)
    folders = {folder for folder, _ in splits}
    if len(folders) != 1:
        return {}
    named = {part_of_name(split): held for (_, split), held in splits.items()}
    if len(named) != len(splits) or (None in named and len(splits) > 1) or named.keys().isdisjoint({None, "train"}):
        return {}
    return {folders.pop(): {part or "train": held for part, held in named.items()}}
