"""Progress of a command: one line that is redrawn on a terminal, plain lines now and then where output is piped."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TextIO

from rich.console import Console, ConsoleOptions
from rich.live import Live
from rich.text import Text

from evonas.cli.display import Phase, ProgressState, fit
from evonas.cli.stopping import check_stopped
from evonas.files.duration import duration
from evonas.files.progress import Progress, Silent

EVERY = 30.0
"""Seconds between two lines where output is piped."""
REDRAWN = 4.0
"""Times a second that the line on a terminal is drawn."""


class TerminalProgress:
    """One line for all of the work, drawn again several times a second while a phase runs.

    Args:
        console: Where it goes.
        clock: Monotonic time in seconds.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.state = console, ProgressState(clock)

    def plan(self, phases: Mapping[str, float], seconds: float | None = None) -> None:
        """Say which phases are to come, each with its expected share of the time."""
        self.state.plan(phases, seconds)

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[ShownTask]:
        """Show how far everything is while a phase runs; what it took stays as a line when it has ended."""
        phase = self.state.begin(name, total)
        # Inside another the line is drawn already.
        drawn = Live(self, console=self.console, refresh_per_second=REDRAWN, transient=True)
        try:
            with nullcontext() if self.state.inside(phase) else drawn:
                yield ShownTask(self.state, phase)
        finally:
            self.state.end(phase)
        assert phase.seconds is not None
        if phase not in self.state.phases:  # part of another
            return
        number = f"{self.state.number_of(phase)} ".lstrip()
        self.say(f"{number}{name}: {duration(phase.seconds - phase.aside)}")

    def say(self, text: str) -> None:
        """Show a line of text."""
        self.console.print(text, highlight=False, markup=False)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        yield Text(fit(self.state, options.max_width), no_wrap=True, overflow="ellipsis")


class PipedProgress:
    """Plain lines, readable in a file: one when a phase begins, and one every half a minute.

    Args:
        stream: Where they go.
        clock: Monotonic time in seconds.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream, self.state = stream, ProgressState(clock)
        self._last = clock()

    def plan(self, phases: Mapping[str, float], seconds: float | None = None) -> None:
        """Say which phases are to come, each with its expected share of the time."""
        self.state.plan(phases, seconds)

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[ShownTask]:
        """Print a line when a phase begins, and every half a minute while it runs."""
        phase = self.state.begin(name, total)
        self._line()
        try:
            yield ShownTask(self.state, phase, self._now_and_then)
        finally:
            self.state.end(phase)

    def say(self, text: str) -> None:
        """Print a line of text."""
        print(text, file=self.stream, flush=True)

    def _now_and_then(self) -> None:
        if self.state.clock() - self._last >= EVERY:
            self._line()

    def _line(self) -> None:
        self._last = self.state.clock()
        self.say(fit(self.state, LINE, with_bar=False))


class QuietProgress(Silent):
    """Nothing shown; a step ends where a signal asks for it all the same."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count nothing."""
        check_stopped()


class ShownTask:
    """Running phase that counts its units and calls back when it has more of them."""

    def __init__(self, state: ProgressState, phase: Phase, then: Callable[[], None] = lambda: None) -> None:
        self._state, self._phase, self._then = state, phase, then

    def advance(self, n: int = 1, note: str = "") -> None:
        """Say that n more units are done; a signal to stop that came is raised here."""
        check_stopped()
        self._phase.done += n
        self._state.note = note
        self._then()


LINE = 200
"""Characters of a line where output is piped."""


def make_progress(quiet: bool) -> Progress:
    """Progress that suits where output goes: one line on a terminal, lines in a file, nothing when quiet."""
    if quiet:
        return QuietProgress()
    if sys.stderr.isatty():
        return TerminalProgress(Console(stderr=True))
    return PipedProgress(sys.stderr)
