"""The end of a search under a deadline: as many whole latencies as there is time for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from evonas.pipeline import final_front
from evonas.pipeline.budget import Budget
from evonas.runtime import Timing


class Notes:
    """A store that keeps notes."""

    def __init__(self):
        self.kept = {}

    def notes(self):
        return {}

    def note(self, text, name, value, more):
        self.kept.setdefault(text, {})[name] = value


@pytest.mark.parametrize(("seconds", "measured"), [(400.0, 10), (27.0, 5), (8.0, 0), (2.0, 0)])
def test_whole_latencies_are_measured_of_as_many_members_as_there_is_time_for(seconds, measured, monkeypatch):
    now, bounds = [0.0], []

    def measure(space, skeleton, chosen, *, threads, seconds):
        now[0] += sum(2.0 if one == 4 else 1.0 for one in chosen)  # one in the middle of the front takes longest
        bounds.append(seconds)
        return [Timing(3.0, 0.1, 2.9, 10) for _ in chosen]

    monkeypatch.setattr(final_front, "measure_whole", measure)  # whose time is the machine's
    problem = SimpleNamespace(space=None, skeleton=None, settings=SimpleNamespace(threads=1))
    run, members = SimpleNamespace(store=Notes()), {f"m{i}": SimpleNamespace(sized=i) for i in range(10)}
    budget = Budget(seconds, ["front"], clock=lambda: now[0])
    estimates = {text: 9.0 if text == "m4" else 1.0 for text in members}
    final_front._note_latency(problem, run, members, estimates, budget)
    assert len(run.store.kept) == measured
    assert now[0] <= seconds / 2 + 2.0
    if measured == 5:
        assert {"m0", "m9"} <= run.store.kept.keys()  # spread over all of the front
    if measured:
        assert all(note == {"latency_measured": 3.0, "latency_mad": 0.1} for note in run.store.kept.values())
