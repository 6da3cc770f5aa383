"""Folders of image files, one folder per class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from evonas.data.decode import EncodedImages
from evonas.data.groups import with_groups
from evonas.data.part_folders import class_first, fold_folders, part_folders
from evonas.data.read_options import PLAIN, ReadOptions
from evonas.data.source import Source
from evonas.data.walk import endings, is_image, subfolders, walk
from evonas.errors import DataError, suggest


def read_folder(source: str, options: ReadOptions = PLAIN) -> Source | None:
    """Return the data of a folder of class folders; None where `source` is no folder.

    Layout: ``train/<class>/…``, perhaps ``val/<class>/…`` and ``test/<class>/…``, by any of the names that
    `part_of_name` knows; ``<class>/train/…`` and so on; or ``<class>/…`` alone. Classes are numbered by name. File
    order takes the first file of each class, then the second of each, and so on, so that the first images are of all
    classes.

    Raises:
        DataError: There are no images, a class has none, another part has a class that training lacks, or folders may
            be parts as well as classes.
    """
    root = Path(source)
    if not root.is_dir():
        return None
    inside = class_first(root) if options.fold is None else None
    unlabeled: list[Path] = []
    if inside is not None:
        homes = {part: [root] for part in inside}
        found = {part: _walked(held) for part, held in inside.items()}
    else:
        homes, unlabeled = part_folders(root) if options.fold is None else (fold_folders(root, options.fold), [])
        found = {part: _join([_classes(home) for home in held]) for part, held in homes.items()}
    classes = {name: files for name, (files, _) in found["train"].items()}
    left_out: Counter[str] = sum((count for held in found.values() for _, count in held.values()), Counter())
    if loose := _loose({root, *(home for held in homes.values() for home in held)}):
        left_out["images outside class folders"] = loose
    if without := sum(len(walk(folder).images) for folder in unlabeled):
        left_out["images without labels"] = without
    if not any(classes.values()):
        what = f"{loose} images and no class folders" if loose else "no images"
        held_files = endings(root)
        beside = f", it holds {held_files}" if held_files and not loose else ""
        raise DataError(
            f"Found {what} in '{root}'{beside}: expected <class>/*.png or .jpg, "
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
        notes=tuple(_notes(left_out, unlabeled)),
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


def _classes(home: Path) -> dict[str, tuple[list[Path], Counter[str]]]:
    """Return the images below each class folder, and what was left out; classes in order of their names."""
    return _walked({folder.name: folder for folder in subfolders(home)})


def _walked(folders: Mapping[str, Path]) -> dict[str, tuple[list[Path], Counter[str]]]:
    found = {name: walk(folder) for name, folder in folders.items()}
    return {name: (one.images, one.left_out) for name, one in found.items()}


def _notes(left_out: Mapping[str, int], unlabeled: Sequence[Path]) -> list[str]:
    """Return what would read files that are left out, and which folders are no part."""
    notes = [f"The folder {folder.name} has no class folders and is left out" for folder in unlabeled]
    if any(one in (".heic", ".heif") for one in left_out):
        notes.append("pip install pillow-heif reads .heic")
    return notes


def _images(files: Mapping[str, Sequence[Path]], classes: tuple[str, ...], root: Path) -> EncodedImages:
    rows = sorted((rank, classes.index(name), path) for name, held in files.items() for rank, path in enumerate(held))
    return EncodedImages(
        [path for _, _, path in rows],
        np.array([label for _, label, _ in rows], dtype=np.int64),
        [str(path.relative_to(root)) for _, _, path in rows],
    )
