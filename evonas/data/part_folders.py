"""Folders of parts: which folder of a data set is which part, and which ones are ambiguous."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from evonas.data.part_names import is_unlabeled_name, part_of_name
from evonas.data.walk import is_image, subfolders, walk
from evonas.errors import DataError

__all__ = ["class_first", "fold_folders", "part_folders"]

SHOWN = 8
"""Folders of a tree that an error shows."""
WRAPPERS = frozenset({"all", "data", "image", "images", "img", "imgs", "unknown"})
"""Names, in small letters, of the one folder around the images of a part without labels."""


def part_folders(root: Path) -> tuple[dict[str, list[Path]], list[Path]]:
    """Return the folders of each part, and those of images without labels, which are no part.

    The root alone is that of training where it holds classes. A folder of the same part inside one and nothing else,
    such as ``seg_train/seg_train``, stands for it.

    Raises:
        DataError: Folders that cannot be distinguished.
    """
    folders = subfolders(root)
    named: dict[str, list[Path]] = {}
    for folder in folders:
        if (part := part_of_name(folder.name)) is not None and subfolders(folder):
            named.setdefault(part, []).append(folder)
    if twice := next((held for held in named.values() if len(held) > 1), None):
        raise DataError(
            f"Expected one folder a part in '{root}', got {' and '.join(f.name for f in twice)}: "
            f"keep one, or name a folder inside.{_tree(root)}"
        )
    _refuse_bare_parts(root, folders, named)
    if "train" in named:
        return _with_train(root, folders, {part: held[0] for part, held in named.items()})
    if named and len(named) == len(folders):
        raise DataError(
            f"'{root}' has a folder {next(iter(named.values()))[0].name} and none for training: name one train, or "
            f"name the folder that holds the classes.{_tree(root)}"
        )
    _refuse_depth(root, folders)
    return {"train": [root]}, []


def _with_train(root: Path, folders: list[Path], named: dict[str, Path]) -> tuple[dict[str, list[Path]], list[Path]]:
    """Return what `part_folders` does where a folder is that of training."""
    parts = {part: _inmost(folder, part) for part, folder in named.items()}
    classes = {folder.name for folder in subfolders(parts["train"])}
    unlabeled = [named[part] for part, home in parts.items() if part != "train" and _is_bare(home, classes)]
    others = [folder for folder in folders if folder not in named.values() and walk(folder).images]
    for folder in list(others):
        called = part_of_name(folder.name) in ("validation", "test") or is_unlabeled_name(folder.name)
        if called and _is_bare(folder, classes):
            unlabeled.append(folder)
            others.remove(folder)
    if others:
        raise DataError(
            f"'{root}' holds parts ({', '.join(f.name for f in named.values())}) and other folders of images "
            f"({', '.join(f.name for f in others[:SHOWN])}): move these away, or rename the parts if they are "
            f"classes.{_tree(root)}"
        )
    return {part: [home] for part, home in parts.items() if named[part] not in unlabeled}, unlabeled


def _inmost(folder: Path, part: str) -> Path:
    """Return the folder of a part, or the only one in it that is named as the part, and so on."""
    while len(inside := subfolders(folder)) == 1 and part_of_name(inside[0].name) == part and _holds_none(folder):
        folder = inside[0]
    return folder


def _holds_none(folder: Path) -> bool:
    """Return whether no image stands in the folder itself."""
    return not any(is_image(path) for path in folder.iterdir())


def _is_bare(folder: Path, classes: Iterable[str]) -> bool:
    """Return whether the images of a folder stand in no class folders, one folder around them of no class aside."""
    inside = [one for one in subfolders(folder) if walk(one).images]
    if not inside:
        return bool(walk(folder).images)
    name = inside[0].name
    wrapper = name.lower() in WRAPPERS or part_of_name(name) is not None or is_unlabeled_name(name)
    return len(inside) == 1 and name not in set(classes) and wrapper and not subfolders(inside[0])


def _refuse_bare_parts(root: Path, folders: list[Path], named: dict[str, list[Path]]) -> None:
    """Refuse folders that are all called parts where that of training holds no class folders.

    Raises:
        DataError: They are such.
    """
    parts = {part_of_name(folder.name) for folder in folders}
    if len(folders) > 1 and "train" in parts and None not in parts and "train" not in named:
        raise DataError(
            f"The folders of '{root}' are called parts and hold no class folders: expected train/<class>/*, or "
            f"other names if they are classes.{_tree(root)}"
        )


def class_first(root: Path) -> dict[str, dict[str, Path]] | None:
    """Return the folder of each class in each part where classes hold parts, ``<class>/train/…``; None: they do not."""
    found: dict[str, dict[str, Path]] = {}
    folders = [folder for folder in subfolders(root) if subfolders(folder)]
    for folder in folders:
        inside = subfolders(folder)
        parts = [part_of_name(one.name) for one in inside]
        if part_of_name(folder.name) or "train" not in parts or len({*parts, None}) != len(inside) + 1:
            return None
        if any(subfolders(one) for one in inside) or not walk(folder).images:
            return None  # data sets beside each other, or boxes beside images
        for part, one in zip(parts, inside, strict=True):
            found.setdefault(str(part), {})[folder.name] = one
    alone = len(folders) < 2 or any(walk(one).images for one in subfolders(root) if one not in folders)
    return None if alone else found


def fold_folders(root: Path, fold: str) -> dict[str, list[Path]]:
    """Return the folder of the fold that is the test part, and those of the others, which are training.

    Args:
        root: Holds a folder for each fold.
        fold: Name of one of them, or the number at its end.

    Raises:
        DataError: There is no such fold, or fewer than two.
    """
    folders = [folder for folder in subfolders(root) if subfolders(folder)]
    chosen = [folder for folder in folders if folder.name == fold]
    chosen = chosen or [f for f in folders if fold.isdecimal() and _number(f.name) == int(fold)]
    if len(chosen) != 1 or len(folders) < 2:
        raise DataError(
            f"Expected the name or number of one of two or more folds in '{root}', got '{fold}': "
            f"it holds {', '.join(folder.name for folder in folders[:SHOWN]) or 'no folders of folders'}"
        )
    return {"train": [folder for folder in folders if folder != chosen[0]], "test": chosen}


def _number(name: str) -> int | None:
    """Return the number at the end of a name; None: it ends in none."""
    digits = re.search(r"[0-9]+$", name)
    return None if digits is None else int(digits[0])


def _refuse_depth(root: Path, folders: list[Path]) -> None:
    """Refuse folders that are not classes: one around the data, or parts and folds of other names.

    Raises:
        DataError: They are such.
    """
    inner = {folder: [one for one in subfolders(folder) if walk(one).images] for folder in folders}
    inner = {folder: held for folder, held in inner.items() if held or walk(folder).images}
    if len(inner) == 1:
        ((folder, held),) = inner.items()
        while len(held) == 1:
            folder, held = held[0], [one for one in subfolders(held[0]) if walk(one).images]
        if held:
            raise DataError(f"'{root}' holds one folder around the data: name '{folder}'")
    names = [frozenset(one.name for one in held) for held in inner.values()]
    if len(inner) > 1 and len(names[0]) > 1 and len(set(names)) == 1:
        raise DataError(
            f"The folders of '{root}' hold the same classes ({', '.join(sorted(names[0])[:SHOWN])}), so they are parts "
            f"or folds and no classes: rename them to train, val and test, name the test part by --fold NAME, or "
            f"name one of them.{_tree(root)}"
        )


def _tree(root: Path) -> str:
    """Return the first two levels of a folder for an error, in one line."""
    held = []
    for folder in subfolders(root)[:SHOWN]:
        names = [one.name for one in subfolders(folder)]
        more = "/…" if len(names) > SHOWN // 2 else ""
        held.append(folder.name + (f" ({', '.join(names[: SHOWN // 2])}{more})" if names else ""))
    return f" It holds: {'; '.join(held)}"
