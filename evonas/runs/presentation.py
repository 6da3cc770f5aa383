"""Presentation of a run in a notebook: rooms above this one give it, and are asked when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from evonas.files.whole import write_whole

__all__ = ["Png", "present_with", "presented"]

_held: dict[str, Callable[..., Any]] = {}


def present_with(html: Callable[[Any], str], plot: Callable[[Any, str | None], Png]) -> None:
    """Set what shows runs, for the whole process.

    Args:
        html: Gives the HTML of a run.
        plot: Gives the picture of a run's front with a selected member marked, or that which is marked by default.
    """
    _held.update(html=html, plot=plot)


def presented(what: str) -> Callable[..., Any]:
    """Return what shows runs: ``html`` or ``plot``."""
    return _held[what]


class Png:
    """A picture: a notebook shows it, `save` writes it.

    Args:
        content: A PNG file's.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content

    def _repr_png_(self) -> bytes:
        return self.content

    def save(self, path: str | Path) -> Path:
        """Write it to a file and return that file's path.

        Raises:
            RunError: It cannot be written.
        """
        write_whole(Path(path), self.content)
        return Path(path)
