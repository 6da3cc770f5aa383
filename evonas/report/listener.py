"""The report of a search, written again while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from evonas.errors import MissingExtraError
from evonas.report.write import write_report
from evonas.runs.run import Run

ALLOWED_SECONDS, ALLOWED_SHARE = 30.0, 0.2
"""Seconds that reports may take of a search, and the share of its time that they may take beyond."""


class ReportListener:
    """Writes ``report.html`` after generations and at the end of a search; called with the run.

    A search does not need its report, so it goes on without one where plotly is missing. Where generations take less
    than a report, most of them go by without: the search has the time.

    Args:
        clock: Seconds since any moment.
        write: Writes the report of a run, given also whether the search ended.
    """

    def __init__(
        self, clock: Callable[[], float] = time.perf_counter, write: Callable[..., object] = write_report
    ) -> None:
        self._clock, self._write = clock, write
        self._began, self._spent, self._stored = clock(), 0.0, -1

    def __call__(self, run: Run) -> None:
        """Write the report where something new is stored and reports have not taken too much time yet."""
        start = self._clock()
        if run.store.changes == self._stored or self._spent > max(  # a replay stores nothing
            ALLOWED_SECONDS, ALLOWED_SHARE * (start - self._began)
        ):
            return
        self._refresh(run, ended=False)
        self._stored = run.store.changes
        self._spent += self._clock() - start

    def close(self, run: Run | None) -> None:
        """Write the report of a search that ended; None: it was stopped."""
        if run is not None:
            self._refresh(run, ended=True)

    def _refresh(self, run: Run, ended: bool) -> None:
        with suppress(MissingExtraError):
            self._write(run, ended=ended)
