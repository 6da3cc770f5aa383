"""A new run directory: its name where none is given, and what is written into it first."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from evonas.config import Settings
from evonas.data.inventory import Inventory
from evonas.data.skipped import skipped_table
from evonas.errors import RunError
from evonas.files.csv import to_csv
from evonas.files.whole import write_whole
from evonas.pipeline.problem import SearchProblem
from evonas.runs.run import Run

__all__ = ["at_free_path", "create_run", "free_path", "new_path", "write_inventory"]

T = TypeVar("T")
NAMES_TRIED = 100
"""Default names that are tried where other searches take them first."""


def create_run(path: Path | None, problem: SearchProblem) -> Run:
    """Return a new run at a path; None: at the first free one, also where other searches begin at the same time."""
    settings, manifest = problem.settings.content(), problem.manifest()
    if path is not None:
        return Run.create(path, settings, manifest)
    return at_free_path(lambda: new_path(problem.settings), lambda free: Run.create(free, settings, manifest))


def at_free_path(find: Callable[[], Path], make: Callable[[Path], T]) -> T:
    """Return what is made at a path that is free, also where others take it first.

    Args:
        find: Finds a free path.
        make: Makes a file or folder there, or raises `RunError`, also where there is one.

    Raises:
        RunError: It cannot be written, or others took every name that was tried.
    """
    for _ in range(NAMES_TRIED):
        free = find()
        try:
            return make(free)
        except RunError:
            if not free.exists():  # not taken by another: it cannot be written
                raise
    raise RunError(f"Expected a free name in {free.parent}, but others took {NAMES_TRIED} of them: give --out")


def new_path(settings: Settings) -> Path:
    """Return a free path in ``runs/`` named after what is searched, by settings that leave nothing open."""
    name = f"{Path(settings.space).stem}-{_source(settings)}-{settings.seed}"
    return free_path(Path(os.environ.get("EVONAS_RUNS", "runs")) / name)


def free_path(base: Path) -> Path:
    """Return a path where nothing is: this one, else with the first number from 2 behind its name."""
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_name(f"{base.name}-{number}")
    return path


def _source(settings: Settings) -> str:
    """Return a short name of the data, or of the table."""
    source = settings.data or (settings.table[0] if settings.table else "digits")
    return Path(source).name.partition(".")[0] or "data"


def write_inventory(run: Run, inventory: Inventory) -> None:
    """Write what the data hold, and which images were skipped, into a run."""
    write_whole(run.path / "inventory.json", inventory.to_json())
    if inventory.skipped:
        rows = skipped_table(inventory.skipped)
        write_whole(run.path / "skipped.csv", to_csv(rows).encode("utf-8", "backslashreplace"))
