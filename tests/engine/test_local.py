from __future__ import annotations

import numpy as np
import pytest

from evonas.engine import FAILURES_IN_A_ROW, LocalEngine
from evonas.errors import EvaluationError
from evonas.objectives import Evaluator
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.runs.store import Store
from evonas.spaces import as_candidates, load_space, parse_candidate


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


class Lone(Evaluator):
    """Gives the length of the text as one objective of several, each by an evaluator of its own."""

    def __init__(self, name, calls):
        self.objectives, self.fingerprint, self.calls = (Objective(name, "", "min"),), name, calls

    def evaluate(self, candidates):
        self.calls += [(str(one), self.objectives[0].name) for one in candidates]
        return [{self.objectives[0].name: Result(float(len(str(one))), None, 1.0)} for one in candidates]


class Line:
    """A pool that does one job after another, and remembers the most it ever held."""

    def __init__(self, evaluators, space, size):
        self.evaluators, self.space, self.size, self.jobs, self.most = evaluators, space, size, [], 0

    def submit(self, jobs):
        self.jobs += jobs
        self.most = max(self.most, len(self.jobs))

    def next(self):
        job = self.jobs.pop(0)
        (row,) = self.evaluators[job.objective].evaluate([parse_candidate(job.candidate, self.space)])
        return job.number, row


@pytest.mark.parametrize("workers", [0, 3])
def test_with_a_deadline_candidates_are_finished_one_by_one(forms, store, workers):
    calls, told = [], []
    evaluators = {name: Lone(name, calls) for name in ("first", "second")}
    pool = Line(evaluators, load_space("darts"), workers) if workers else None
    engine = LocalEngine(evaluators, store, pool)
    candidates = as_candidates(list(dict.fromkeys(forms)))
    values = engine.evaluate(candidates, list(evaluators), told.append, over=lambda: len(told) >= 2)
    assert [name for _, name in calls] == ["first", "second"] * (len(calls) // 2)
    whole = np.isfinite(values).all(axis=1)
    assert whole.sum() == len(calls) // 2 == len(told) - 1
    assert 2 <= whole.sum() <= 2 + workers
    assert not np.isfinite(values[~whole]).any()
    assert told == [1] * int(whole.sum()) + [len(candidates) - int(whole.sum())]
    assert pool is None or pool.most == workers


@pytest.mark.parametrize("workers", [0, 3])
def test_without_a_deadline_objective_by_objective_and_all_at_once(forms, store, workers):
    calls, told = [], []
    evaluators = {name: Lone(name, calls) for name in ("first", "second")}
    pool = Line(evaluators, load_space("darts"), workers) if workers else None
    candidates = as_candidates(list(dict.fromkeys(forms)))
    values = LocalEngine(evaluators, store, pool).evaluate(candidates, list(evaluators), told.append)
    assert [name for _, name in calls] == ["first"] * len(candidates) + ["second"] * len(candidates)
    assert np.isfinite(values).all()
    assert told == [1] * len(candidates) + [0]
    assert pool is None or pool.most == 2 * len(candidates)
