"""The report of a search under way."""

from __future__ import annotations

from types import SimpleNamespace

from evonas.errors import MissingExtraError
from evonas.report.listener import ReportListener


def test_reports_follow_what_was_stored_and_do_not_eat_the_time():
    """A replay writes none; where they take long, they are written as rarely as a fifth of the time allows."""
    now, written = [0.0], []

    def write(run, ended):
        assert not ended
        written.append(now[0])
        now[0] += 20.0

    listener = ReportListener(lambda: now[0], write)
    run = SimpleNamespace(store=SimpleNamespace(changes=0))
    for _ in range(3):  # nothing is stored after the first
        listener(run)
    assert written == [0.0]
    for _ in range(300):
        now[0] += 1.0
        run.store.changes += 1
        listener(run)
    assert written[1] == 21.0
    assert 0.1 < 20.0 * len(written) / now[0] <= 0.3


def test_the_last_report_is_of_a_search_that_ended_and_none_is_written_of_one_that_was_stopped():
    ends = []
    listener = ReportListener(write=lambda run, ended: ends.append(ended))
    listener.close(None)
    assert ends == []
    listener.close(SimpleNamespace(store=SimpleNamespace(changes=0)))
    assert ends == [True]


def test_a_search_goes_on_without_plotly():
    def write(run, ended):
        raise MissingExtraError("plotly")

    ReportListener(write=write)(SimpleNamespace(store=SimpleNamespace(changes=0)))
