"""Progress in a notebook: one output below the cell, with the line of what runs and what went before."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any

from evonas.cli.display import ProgressState, fit
from evonas.cli.progress import REDRAWN, ShownTask
from evonas.files.duration import duration

__all__ = ["NotebookProgress", "notebook_progress"]

WIDTH = 110
"""Characters of a line."""
LINES = 12
"""Lines above that of what runs, the latest."""


class NotebookProgress:
    """The state of all of the work as HTML, given a few times a second while it moves.

    Args:
        show: Shows HTML instead of what it showed before.
        clock: Monotonic time in seconds.
    """

    def __init__(self, show: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._show, self._clock = show, clock
        self.state, self._lines = ProgressState(clock), list[str]()
        self._drawn = float("-inf")

    def plan(self, phases: Mapping[str, float], seconds: float | None = None) -> None:
        """Say which phases are to come, each with its expected share of the time."""
        self.state.plan(phases, seconds)

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[ShownTask]:
        """Show how far everything is while a phase runs; what it took stays as a line when it has ended."""
        phase = self.state.begin(name, total)
        self._draw()
        try:
            yield ShownTask(self.state, phase, self._now_and_then)
        finally:
            self.state.end(phase)
        assert phase.seconds is not None
        if phase in self.state.phases:
            self.say(f"{self.state.number_of(phase)} {name}: {duration(phase.seconds - phase.aside)}".strip())

    def say(self, text: str) -> None:
        """Show a line of text."""
        self._lines = [*self._lines, text][-LINES:]
        self._draw()

    def _now_and_then(self) -> None:
        if self._clock() - self._drawn >= 1 / REDRAWN:
            self._draw()

    def _draw(self) -> None:
        self._drawn = self._clock()
        current = [fit(self.state, WIDTH)] if self.state.running else []
        self._show(f"<pre>{escape(chr(10).join([*self._lines, *current]))}</pre>")


def notebook_progress() -> NotebookProgress | None:
    """Return what shows progress below the cell that runs; None where this is no notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):  # a terminal's IPython has none
        return None
    from importlib import import_module

    tools: Any = import_module("IPython.display")
    handle = tools.display(tools.HTML(""), display_id=True)
    return NotebookProgress(lambda html: handle.update(tools.HTML(html)))
