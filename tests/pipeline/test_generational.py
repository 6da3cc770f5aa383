from __future__ import annotations

from types import SimpleNamespace

import pytest

from evonas.config import make_settings
from evonas.pipeline.budget import Allowance, Budget
from evonas.pipeline.generational import generations
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
def test_generations_fill_what_evolution_may_take(store, minutes):
    settings = make_settings(time=f"{minutes}m", population=POPULATION)
    problem = SimpleNamespace(settings=settings, evaluated=("acc",))
    run = SimpleNamespace(store=store, manifest={})
    budget = Budget(60.0 * minutes, ["evolution", "front"], clock=lambda: 0.0)
    after_first = (generations(problem, run, POPULATION, Allowance(budget, POPULATION)) - 1) * POPULATION * SECONDS
    assert after_first <= budget.share("evolution")
    assert after_first > budget.share("evolution") - POPULATION * SECONDS  # no less than it may take either
    store.decide("generations", lambda: pytest.fail("what the clock decides is decided once"))
