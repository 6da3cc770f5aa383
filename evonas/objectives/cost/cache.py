"""Cache on disk of what was counted for blocks, so that each is counted once in the life of a machine."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from evonas.errors import EvonasError
from evonas.files.whole import write_whole

Value = TypeVar("Value")


def cache_folder() -> Path:
    """Return where tables are kept: ``EVONAS_CACHE``, else the user's cache folder."""
    if os.environ.get("EVONAS_CACHE"):
        return Path(os.environ["EVONAS_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "evonas"


def cached(
    table: str, wanted: Mapping[str, Value], measure: Callable[[Value], Any], valid: Callable[[Any], bool]
) -> dict[str, Any]:
    """Return a value for each key; what is not on disk is measured and added to it.

    A table that cannot be read or written costs time, never an error: values are measured again.

    Args:
        table: Name and version of the table: a change of what is measured needs another version.
        wanted: Keys, and what is measured for them.
        measure: Returns a JSON-able value.
        valid: Whether a value found on disk is one.
    """
    path = cache_folder() / f"{table}.json"
    stored = _read(path)
    found = {key: stored[key] for key in wanted if key in stored and valid(stored[key])}
    missing = [key for key in wanted if key not in found]
    for key in missing:
        found[key] = measure(wanted[key])
    if missing:
        with contextlib.suppress(OSError, EvonasError):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Read again: another process may have added to it meanwhile.
            write_whole(path, json.dumps({**_read(path), **found}))
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}
