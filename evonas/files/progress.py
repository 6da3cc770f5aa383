"""Progress of long work; who shows it is the caller's business."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol


class ProgressTask(Protocol):
    """One step of the work while it runs."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Say that n more units are done, and what is worth showing beside the bar."""
        ...


class Progress(Protocol):
    """Shows steps of long work."""

    def plan(self, phases: Mapping[str, float], seconds: float | None = None) -> None:
        """Say which steps are to come, by the names that `task` will give, each with its expected share of the time.

        Args:
            phases: Shares by name.
            seconds: Until a deadline; None: there is none.
        """
        ...

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[ProgressTask]:
        """Run a step of `total` units under a name."""
        ...

    def say(self, text: str) -> None:
        """Show a line of text."""
        ...


class Silent:
    """Progress that shows nothing."""

    def plan(self, phases: Mapping[str, float], seconds: float | None = None) -> None:
        """Do nothing."""

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Silent]:
        """Run a step; nothing is shown."""
        yield self

    def advance(self, n: int = 1, note: str = "") -> None:
        """Do nothing."""

    def say(self, text: str) -> None:
        """Do nothing."""
