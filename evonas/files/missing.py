"""Missing files: an error that names them before anything heavy is imported."""

from __future__ import annotations

from pathlib import Path

from evonas.errors import SettingsError

__all__ = ["refuse_missing"]


def refuse_missing(path: Path, what: str) -> None:
    """Refuse a path at which there is nothing.

    Args:
        path: As it was given.
        what: What was expected there, with its article.

    Raises:
        SettingsError: Neither a file nor a folder.
    """
    if not path.exists():
        raise SettingsError(f"Expected {what} at {path}, found nothing: check the path")
