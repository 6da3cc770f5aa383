"""The file of a run's front, ``front.json``, read back."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from evonas.errors import RunError
from evonas.pareto.front import Front

__all__ = ["read_front"]


class HasPath(Protocol):
    """Object that lies in a directory, such as a `Run`."""

    @property
    def path(self) -> Path:
        """The directory."""


def read_front(run: HasPath | str | Path) -> Front:
    """Return the front of a run that ended.

    Args:
        run: A `Run`, or the path of its directory.

    Raises:
        RunError: It has not ended.
    """
    folder = Path(run) if isinstance(run, str | Path) else run.path
    path = folder / "front.json"
    if not path.exists():
        raise RunError(f"{folder} has no front yet: finish the search with  evonas resume {folder}")
    return Front.from_json(path.read_bytes())
