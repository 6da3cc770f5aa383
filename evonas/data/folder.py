"""Folders of image files, one folder per class."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from evonas.data.decode import EncodedImages
from evonas.data.groups import with_groups
from evonas.data.part_names import part_of_name
from evonas.data.read_options import PLAIN, ReadOptions
from evonas.data.source import Source
from evonas.data.walk import is_image, subfolders, walk
from evonas.errors import DataError, suggest

SHOWN = 8
"""Folders of a tree that an error shows."""


def read_folder(source: str, options: ReadOptions = PLAIN) -> Source | None:
    """Return the data of a folder of class folders; None where `source` is no folder.

    Layout: ``train/<class>/…``, perhaps ``val/<class>/…`` and ``test/<class>/…``, by any of the names that
    `part_of_name` knows; or ``<class>/…`` alone. Classes are numbered by name. File order takes the first file of each
    class, then the second of each, and so on, so that the first images are of all classes.

    Raises:
        DataError: There are no images, a class has none, another part has a class that training lacks, or folders may
            be parts as well as classes.
    """
    root = Path(source)
    if not root.is_dir():
        return None
    homes = (
        {part: [home] for part, home in _parts(root).items()} if options.fold is None else _folds(root, options.fold)
    )
    found = {part: _join([_classes(home) for home in held]) for part, held in homes.items()}
    classes = {name: files for name, (files, _) in found["train"].items()}
    left_out: Counter[str] = sum((count for held in found.values() for _, count in held.values()), Counter())
    if loose := _loose({root, *(home for held in homes.values() for home in held)}):
        left_out["images outside class folders"] = loose
    if not any(classes.values()):
        raise DataError(
            f"Found no images in '{root}': expected <class>/*.png or .jpg, "
            f"train/<class>/* and test/<class>/*, or train*.parquet"
        )
    if empty := [name for name, held in classes.items() if not held]:
        raise DataError(f"Class folder '{homes['train'][0] / empty[0]}' holds no images: fill or remove it")
    names = tuple(classes)
    images = {}
    for part, held in found.items():
        files = _files_of_classes({name: paths for name, (paths, _) in held.items()}, names, homes[part][0])
        if any(files.values()):
            images[part] = _images(files, names, root)
    images = with_groups(images, root, options.group)
    return Source(
        root.resolve().name,
        names,
        images["train"],
        images.get("test"),
        validation=images.get("validation"),
        notes=tuple(_notes(left_out)),
        left_out=tuple(sorted(left_out.items())),
    )


def _loose(folders: Iterable[Path]) -> int:
    """Return how many images stand in folders beside those of classes."""
    return sum(is_image(path) for folder in folders for path in folder.iterdir())


def _files_of_classes(
    found: Mapping[str, Sequence[Path]], names: Sequence[str], home: Path
) -> dict[str, Sequence[Path]]:
    """Return a part's files by class, without empty folders that are no class.

    Raises:
        DataError: A class that training lacks.
    """
    files = {name: paths for name, paths in found.items() if paths or name in names}
    if strange := sorted(set(files) - set(names)):
        hint = suggest(strange[0], names)
        raise DataError(f"Folder '{home}' has a class '{strange[0]}' that training lacks: make them equal.{hint}")
    return files


def _parts(root: Path) -> dict[str, Path]:
    """Return the folder of each part; the root alone is that of training where it holds classes.

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
    if "train" in named:
        parts = {part: held[0] for part, held in named.items()}
        others = [folder for folder in folders if folder not in parts.values() and walk(folder).images]
        if others:
            raise DataError(
                f"'{root}' holds parts ({', '.join(f.name for f in parts.values())}) and other folders of images "
                f"({', '.join(f.name for f in others[:SHOWN])}): move these away, or rename the parts if they are "
                f"classes.{_tree(root)}"
            )
        return parts
    if named and len(named) == len(folders):
        raise DataError(
            f"'{root}' has a folder {next(iter(named.values()))[0].name} and none for training: name one train, or "
            f"name the folder that holds the classes.{_tree(root)}"
        )
    _refuse_depth(root, folders)
    return {"train": root}


def _folds(root: Path, fold: str) -> dict[str, list[Path]]:
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


def _join(
    parts: list[dict[str, tuple[list[Path], Counter[str]]]],
) -> dict[str, tuple[list[Path], Counter[str]]]:
    """Return the classes of several folders together, in order of their names."""
    names = sorted({name for part in parts for name in part})
    nothing: tuple[list[Path], Counter[str]] = ([], Counter())
    held = {name: [part.get(name, nothing) for part in parts] for name in names}
    return {
        name: ([path for paths, _ in some for path in paths], sum((count for _, count in some), Counter()))
        for name, some in held.items()
    }


def _refuse_depth(root: Path, folders: list[Path]) -> None:
    """Refuse folders that are not classes: one around the data, or parts and folds of other names.

    Raises:
        DataError: They are such.
    """
    inner = {folder: [one for one in subfolders(folder) if walk(one).images] for folder in folders}
    inner = {folder: held for folder, held in inner.items() if held or walk(folder).images}
    if len(inner) == 1:
        ((folder, held),) = inner.items()
        if len(held) > 1:
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


def _classes(home: Path) -> dict[str, tuple[list[Path], Counter[str]]]:
    """Return the images below each class folder, and what was left out; classes in order of their names."""
    found = {folder.name: walk(folder) for folder in subfolders(home)}
    return {name: (one.images, one.left_out) for name, one in found.items()}


def _notes(left_out: Mapping[str, int]) -> list[str]:
    """Return what would read files that are left out."""
    return ["pip install pillow-heif reads .heic"] if any(one in (".heic", ".heif") for one in left_out) else []


def _images(files: Mapping[str, Sequence[Path]], classes: tuple[str, ...], root: Path) -> EncodedImages:
    rows = sorted((rank, classes.index(name), path) for name, held in files.items() for rank, path in enumerate(held))
    return EncodedImages(
        [path for _, _, path in rows],
        np.array([label for _, label, _ in rows], dtype=np.int64),
        [str(path.relative_to(root)) for _, _, path in rows],
    )
