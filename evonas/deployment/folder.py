"""A folder that appears whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evonas.errors import ExportError


def refuse_content(path: Path) -> None:
    """Raise `ExportError` where a file, or a folder that holds something, stands at a path."""
    if path.is_symlink() or path.exists():
        if path.is_dir() and not any(path.iterdir()):
            return
        what = "a folder that holds something" if path.is_dir() else "a file"
        raise ExportError(f"Expected nothing or an empty folder at {path}, found {what}: choose another --out")


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a draft beside a path, which replaces the path at the end; an error leaves nothing.

    Args:
        path: What to make; nothing, or an empty folder, may be there. Missing parents are made.

    Raises:
        ExportError: Something is there, or it cannot be written, as on a full disk.
    """
    refuse_content(path)
    draft = path.parent / f".{path.name}.{os.getpid()}.new"
    try:
        draft.mkdir(parents=True)
        yield draft
        os.rename(draft, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ExportError(
                f"No space left on the disk of {path}: free some and run the same command again"
            ) from error
        raise ExportError(
            f"Cannot write {path}: {error.strerror or error}; check that its folder exists and is yours"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
