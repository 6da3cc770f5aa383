"""Command that repeats the search of a run, in words that a shell reads."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["repeat_command"]

RENAMED = {"constraints": "constraint"}
"""Settings of older runs by the names that they have now."""
TWO_SIDED = "surrogate"
"""The one switch that can be off on purpose; the others are off unless given."""


def repeat_command(path: Path, settings: Mapping[str, Any]) -> str:
    """Return the command of the same search in a new run directory.

    Args:
        path: The run directory.
        settings: What its ``run.toml`` holds.
    """
    words = ["evonas", "search"]
    for key, value in settings.items():
        name = RENAMED.get(key, key).replace("_", "-")
        if name == "baseline" and isinstance(value, bool):  # of runs from before there were several
            words += [f"--{name}", "random"] if value else []
        elif isinstance(value, bool):
            words += [f"--{name}"] if value else [f"--no-{name}"] if name == TWO_SIDED else []
        elif name == "objectives":
            words += [f"--{name}", ",".join(value)]
        else:
            for one in value if isinstance(value, list) else [value]:
                words += [f"--{name}", str(one)]
    number = 2
    while (out := path.with_name(f"{path.name}-{number}")).exists():
        number += 1
    return shlex.join([*words, "--out", str(out)])
