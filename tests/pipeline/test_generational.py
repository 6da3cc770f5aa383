from __future__ import annotations

from types import SimpleNamespace

import pytest

from evonas.config import make_settings
from evonas.pipeline.generational import EVOLUTION_SHARE, generations
from evonas.pipeline.warmup import SUPERNET_SHARE
from evonas.runs.store import Evaluation, Store

POPULATION = 5
SECONDS = 2.0
"""Seconds of each evaluation."""


@pytest.fixture
def store(tmp_path):
    """A store that holds a first generation, each of its candidates evaluated in two seconds."""
    texts = [f"a{i}" for i in range(POPULATION)]
    with Store(tmp_path / "s.sqlite", create=True) as store:
        store.record(Evaluation(text, "acc", "f", 0.5, None, SECONDS) for text in texts)
        store.enroll(0, texts)
        yield store


@pytest.mark.parametrize("minutes", [1, 10, 60])
def test_evolution_leaves_most_of_the_time_to_the_supernet_and_the_front(store, minutes):
    settings = make_settings(time=f"{minutes}m", population=POPULATION)
    problem = SimpleNamespace(settings=settings, evaluated=("acc",))
    run = SimpleNamespace(store=store, manifest={})
    evolution = generations(problem, run, POPULATION) * POPULATION * SECONDS
    assert evolution <= 0.4 * 60 * minutes
    assert evolution > 0.4 * 60 * minutes - POPULATION * SECONDS  # no less than it may take either
    store.decide("generations", lambda: pytest.fail("what the clock decides is decided once"))


def test_the_shares_of_a_time_leave_some_for_the_rest():
    assert EVOLUTION_SHARE + SUPERNET_SHARE <= 0.9
