from __future__ import annotations

import numpy as np
import pytest

from evonas.engine import FAILURES_IN_A_ROW, LocalEngine
from evonas.errors import EvaluationError
from evonas.objectives import Evaluator
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.runs.store import Store
from evonas.spaces import as_candidates, load_space


class Fake(Evaluator):
    """Gives the length of the text, or fails on those in `bad`."""

    objectives = (Objective("length", "", "min"), Objective("twice", "", "min"))
    fingerprint = "f"

    def __init__(self, bad=()):
        self.bad, self.calls = set(bad), []

    def evaluate(self, candidates):
        self.calls += [str(a) for a in candidates]
        return [
            {
                name: Result(None, "bad", 0.0) if str(a) in self.bad else Result(factor * len(str(a)), None, 0.0)
                for name, factor in (("length", 1.0), ("twice", 2.0))
            }
            for a in candidates
        ]


@pytest.fixture
def forms():
    space = load_space("darts")
    return [space.canonical(space.decode(g)) for g in space.sample(20, np.random.default_rng(0))]


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "s.sqlite", create=True) as store:
        yield store


def test_values_come_in_order_and_are_computed_once(forms, store):
    fake, told = Fake(), []
    engine = LocalEngine({"length": fake, "twice": fake}, store)
    values = engine.evaluate(as_candidates(forms), ["twice", "length"], told.append)
    assert values[:, 1].tolist() == [len(str(f)) for f in forms]
    assert (values[:, 0] == 2 * values[:, 1]).all()
    assert sum(told) == len(forms)
    again = LocalEngine({"length": fake, "twice": fake}, store)
    assert (again.evaluate(as_candidates(forms), ["twice", "length"]) == values).all()
    assert len(fake.calls) == len(forms)
    assert again.computed == 0


def test_one_bad_architecture_does_not_spoil_the_batch(forms, store):
    fake = Fake(bad=[str(forms[3])])
    values = LocalEngine({"length": fake}, store).evaluate(as_candidates(forms), ["length"])
    assert np.isnan(values[:, 0]).tolist() == [i == 3 for i in range(len(forms))]
    assert store.lookup([str(forms[3])], "length", "f")[str(forms[3])].cause == "bad"


def test_ten_failures_in_a_row_stop_with_the_cause(forms, store):
    fake = Fake(bad=map(str, forms))
    with pytest.raises(EvaluationError, match="bad"):
        LocalEngine({"length": fake}, store).evaluate(as_candidates(forms), ["length"])
    assert len(fake.calls) == FAILURES_IN_A_ROW
