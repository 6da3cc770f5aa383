"""Folders of image files, one folder per class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evonas.data.decode import EncodedImages
from evonas.data.source import Source
from evonas.errors import DataError, suggest

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
TEST_FOLDERS = ("test", "validation", "valid", "val")


def read_folder(source: str) -> Source | None:
    """Return the data of a folder of class folders; None where `source` is no folder.

    Layout: `train/<class>/…` and `test/<class>/…`, or `<class>/…` alone. Classes are numbered by name. File
    order takes the first file of each class, then the second of each, and so on, so that the first images
    are of all classes.

    Raises:
        DataError: There are no images, a class has none, or the test part has a class that training lacks.
    """
    root = Path(source)
    if not root.is_dir():
        return None
    home = root / "train" if (root / "train").is_dir() else root
    files = _files(home)
    if not files:
        raise DataError(
            f"Found no images in '{root}': expected <class>/*.png or .jpg, "
            f"train/<class>/* and test/<class>/*, or train*.parquet"
        )
    if empty := [name for name, held in files.items() if not held]:
        raise DataError(f"Class folder '{home / empty[0]}' holds no images: fill or remove it")
    classes = tuple(files)
    test = next((root / name for name in TEST_FOLDERS if home != root and (root / name).is_dir()), None)
    held_out = _files(test) if test is not None else {}
    if strange := sorted(set(held_out) - set(classes)):
        hint = suggest(strange[0], classes)
        raise DataError(f"Test folder '{test}' has a class '{strange[0]}' that training lacks: make them equal.{hint}")
    return Source(
        root.resolve().name,
        classes,
        _images(files, classes, root),
        _images(held_out, classes, root) if test is not None else None,
    )


def _files(home: Path) -> dict[str, list[Path]]:
    """Return the image files below each class folder, classes and files in order of their names."""
    folders = sorted(path for path in home.iterdir() if path.is_dir() and not path.name.startswith("."))
    files = {folder.name: sorted(path for path in folder.rglob("*") if _is_image(path)) for folder in folders}
    return files if any(files.values()) else {}


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _images(files: dict[str, list[Path]], classes: tuple[str, ...], root: Path) -> EncodedImages:
    rows = sorted((rank, classes.index(name), path) for name, held in files.items() for rank, path in enumerate(held))
    return EncodedImages(
        [path for _, _, path in rows],
        np.array([label for _, label, _ in rows], dtype=np.int64),
        [str(path.relative_to(root)) for _, _, path in rows],
    )
