"""Record of a training, ``training.json`` in a folder of a run's ``models/``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evonas.errors import RunError

__all__ = ["FORMAT", "RECORD", "WEIGHTS", "read_record"]

FORMAT = 1
RECORD, WEIGHTS = "training.json", "weights.safetensors"
"""Names of the record and of the weights beside it."""


def read_record(file: Path) -> dict[str, Any]:
    """Return a ``training.json``.

    Raises:
        RunError: It is damaged, of another version, or its weights are missing.
    """
    try:
        record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if record["format"] != FORMAT or not (file.parent / WEIGHTS).is_file():
            raise ValueError("another format, or its weights are missing")
        record["accuracy"]["value"], record["finished"], record["architecture"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"The training in {file.parent} cannot be read ({error}): remove that folder and train again"
        ) from None
    return record
