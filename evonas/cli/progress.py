"""Progress on a terminal with rich; one line per step and now and then where output is piped."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from evonas.files.progress import Progress as Shown

EVERY = 15.0
"""Seconds between two lines of a step whose output is piped."""


class TerminalProgress:
    """A bar per step with rate and time left.

    Args:
        console: Where bars and lines go.
    """

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[_Bar]:
        """Show a bar while a step runs; it stays when the step has ended."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=self.console) as progress:
            yield _Bar(progress, progress.add_task(name, total=total, note="", rate=""))

    def say(self, text: str) -> None:
        """Show a line of text."""
        self.console.print(text, highlight=False, markup=False)


class _Bar:
    def __init__(self, progress: Progress, task: int) -> None:
        self.progress, self.number = progress, task

    def advance(self, n: int = 1, note: str = "") -> None:
        self.progress.advance(self.number, n)  # type: ignore[arg-type]
        task = self.progress.tasks[self.number]
        rate = f"{task.speed:.1f}/s" if task.speed else ""
        self.progress.update(self.number, note=note, rate=rate)  # type: ignore[arg-type]


class PipedProgress:
    """Plain lines, readable in a file: at the start, every quarter of a minute, and at the end of a step."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[_Lines]:
        """Print a line when a step starts and ends, and some between."""
        lines = _Lines(self, name, total)
        self.say(f"{name}: {total} to do")
        yield lines
        self.say(f"{name}: {lines.done} done in {time.monotonic() - lines.began:.1f} s")

    def say(self, text: str) -> None:
        """Print a line of text."""
        print(text, file=self.stream, flush=True)


class _Lines:
    def __init__(self, parent: PipedProgress, name: str, total: int) -> None:
        self.parent, self.name, self.total = parent, name, total
        self.began = self.last = time.monotonic()
        self.done = 0

    def advance(self, n: int = 1, note: str = "") -> None:
        self.done += n
        now = time.monotonic()
        if now - self.last >= EVERY:
            self.last = now
            rate = self.done / (now - self.began)
            left = (self.total - self.done) / rate if rate else 0.0
            self.parent.say(
                f"{self.name}: {self.done}/{self.total}, {rate:.1f}/s, {left:.0f} s left{', ' + note if note else ''}"
            )


def make_progress(quiet: bool) -> Shown:
    """Return what suits where output goes: a bar on a terminal, lines in a file, nothing when quiet."""
    if quiet:
        from evonas.files.progress import Silent

        return Silent()
    if sys.stderr.isatty():
        return TerminalProgress(Console(stderr=True))
    return PipedProgress(sys.stderr)
