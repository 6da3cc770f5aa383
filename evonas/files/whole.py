"""Files that are written whole: a kill at any moment leaves the old one or the new one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from evonas.errors import RunError

AGAIN = "run the same command again"


def write_whole(path: str | Path, content: str | bytes, *, again: str = AGAIN) -> None:
    """Write a file so that a kill or a power cut leaves either the old one or the new one, whole.

    Args:
        path: The file; its folder exists.
        content: Text is written as UTF-8, line ends as they are.
        again: What to do once a full disk has space, for the message.

    Raises:
        RunError: The file cannot be written, as on a full disk; the old one is still there.
    """
    path = Path(path)
    try:
        _replace(path, content)
    except OSError as error:
        raise cannot_write(path, error, again) from error


def usual_mode() -> int:
    """Permissions that the user's files have: read and write for all whom their mask does not exclude."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _replace(path: Path, content: str | bytes) -> None:
    draft = path.parent / f".{path.name}.{os.getpid()}.new"
    try:
        with draft.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def cannot_write(path: Path, error: OSError, again: str = AGAIN) -> RunError:
    """Return the error that says why a file was not written, and what to do.

    Args:
        path: The file.
        error: What the system said.
        again: What to do once a full disk has space.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RunError(f"No space left on the disk of {path}: free some and {again}")
    return RunError(f"Cannot write {path}: {error.strerror or error}; check that its folder exists and is yours.")
