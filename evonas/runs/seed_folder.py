"""Folder of a search with several seeds, and the difference from a run directory."""

from __future__ import annotations

import shlex
from pathlib import Path

__all__ = ["SEEDS_FILE", "no_single_run"]

SEEDS_FILE = "seeds.json"
"""File that makes a folder one of several seeds: what is searched, with which seeds, and which have ended."""


def no_single_run(path: Path) -> str | None:
    """Return what to do with a folder of several seeds where one run is expected; None: it is none.

    Args:
        path: The folder.
    """
    if not (path / SEEDS_FILE).is_file():
        return None
    one = next((str(run) for run in sorted(path.glob("seed-*")) if run.is_dir()), f"{path}/seed-N")
    return (
        f"Expected one run directory, {path} holds a search with several seeds: name one of them, such as "
        f"{shlex.quote(one)}, or continue and compare all with  evonas repeat {shlex.quote(str(path))}"
    )
