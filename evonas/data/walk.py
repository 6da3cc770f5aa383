"""Walk through folders of images: links are followed, loops found, what systems leave behind is skipped."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from evonas.errors import DataError

__all__ = ["SUFFIXES", "Found", "endings", "is_image", "is_system", "subfolders", "walk"]

SUFFIXES = frozenset({
    ".apng", ".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm",
    ".tif", ".tiff", ".webp",
})  # fmt: skip
HEIF = frozenset({".heic", ".heif"})
"""Read where pillow-heif is installed."""
SYSTEM = frozenset({
    "__macosx", "$recycle.bin", "@eadir", "__pycache__", "lost+found", "system volume information", "thumbs.db",
    "desktop.ini",
})  # fmt: skip
"""Names, in small letters, of what systems and tools leave behind; names that begin with a dot are theirs as well."""


@dataclass
class Found:
    """Images below a folder, and what lies beside them.

    Attributes:
        images: Paths in order.
        left_out: Number of files by reason.
    """

    images: list[Path] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def is_system(name: str) -> bool:
    """Return whether a file or folder is one that systems and tools leave behind."""
    return name.startswith((".", "~$")) or name.lower() in SYSTEM


def is_image(path: Path) -> bool:
    """Return whether a file is one of images, by its ending."""
    return path.suffix.lower() in SUFFIXES and not is_system(path.name)


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted by name, without those of systems and links that lead back up."""
    return [folder / name for name in _without_loops(folder, [path.name for path in folder.iterdir() if path.is_dir()])]


def _without_loops(folder: Path, names: Iterable[str]) -> list[str]:
    """Return names of folders in a folder, sorted, without those of systems and links to it or a folder around it."""
    names = sorted(name for name in names if not is_system(name))
    links = {name for name in names if (folder / name).is_symlink()}
    if not links:
        return names
    # A folder has others around it by the links that it was reached by, and others where it really is.
    real = folder.resolve()
    above = {real, *real.parents, *(one.resolve() for one in folder.absolute().parents)}
    return [name for name in names if name not in links or (folder / name).resolve() not in above]


def endings(folder: Path) -> str:
    """Return how many files of which endings a folder and those below it hold, in words, the most frequent first."""
    count = Counter(
        Path(name).suffix.lower() or "no ending"
        for _, _, files in os.walk(folder)
        for name in files
        if not is_system(name)
    )
    return ", ".join(f"{number} {ending}" for ending, number in count.most_common(3))


def walk(folder: Path) -> Found:
    """Return the images below a folder, links to folders followed, none twice by a loop.

    Args:
        folder: An existing folder.

    Raises:
        DataError: A folder below it cannot be read.
    """
    found = Found()
    read = SUFFIXES | HEIF if find_spec("pillow_heif") else SUFFIXES
    for here, folders, files in os.walk(folder, followlinks=True, onerror=_refuse):
        # The same folder under two links is two sets of images; one that leads back up would never end.
        folders[:] = _without_loops(Path(here), folders)
        for name in sorted(files):
            path = Path(here, name)
            if is_system(name):
                found.left_out["system files"] += 1
            elif path.suffix.lower() not in read:
                found.left_out[path.suffix.lower() or "no ending"] += 1
            elif path.is_file():
                found.images.append(path)
            else:
                found.left_out["links to nothing"] += 1
    found.images.sort()
    return found


def _refuse(error: OSError) -> None:
    raise DataError(f"Cannot read the folder '{error.filename}': {error.strerror}; make it readable or move it away")
