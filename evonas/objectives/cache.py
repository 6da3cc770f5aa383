"""Costs of blocks kept on disk, so that each is counted once in the life of a machine."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evonas.run import write_whole


def cache_folder() -> Path:
    """Return where tables are kept: ``EVONAS_CACHE``, else the user's cache folder."""
    if "EVONAS_CACHE" in os.environ:
        return Path(os.environ["EVONAS_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "evonas"


def cached(table: str, keys: Sequence[str], measure: Callable[[list[str]], Sequence[Any]]) -> dict[str, Any]:
    """Return the value of each key, measuring those that are not on disk.

    Args:
        table: Name and version of the table; a change of what is measured needs another version.
        keys: What is asked for.
        measure: Returns JSON-able values for the keys that are missing.
    """
    folder = cache_folder()
    name = hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:24]
    path = folder / f"{table}-{name}.json"
    try:
        stored = json.loads(path.read_text())
        if isinstance(stored, dict) and set(keys) <= set(stored):
            return stored
    except (OSError, ValueError):
        stored = {}
    values = dict(zip(keys, measure(list(keys))))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(values))
    except Exception:
        pass
    return values
