"""How long work tells how far it is; who shows it is the caller's business."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Task(Protocol):
    """One step of the work while it runs."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Say that n more units are done, and what is worth showing beside the bar."""
        ...


class Progress(Protocol):
    """Shows steps of long work."""

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Task]:
        """Run a step of `total` units under a name."""
        ...

    def say(self, text: str) -> None:
        """Show a line of text."""
        ...


class Silent:
    """Progress that shows nothing."""

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Silent]:
        """Run a step; nothing is shown."""
        yield self

    def advance(self, n: int = 1, note: str = "") -> None:
        """Do nothing."""

    def say(self, text: str) -> None:
        """Do nothing."""
