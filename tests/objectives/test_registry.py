from __future__ import annotations

import importlib
import math

import pytest

from evonas.errors import EvaluationError, SettingsError
from evonas.objectives import (
    Context,
    Evaluator,
    check_objectives,
    fingerprint,
    known_objectives,
    make_evaluator,
    registry,
)
from evonas.objectives.contract import one_by_one
from evonas.pareto.objective import Objective
from evonas.spaces import Candidate, Recipe, as_candidates

X = Objective("x", "", "min")


class Added(Evaluator):
    """An evaluator of another package."""

    objectives = (Objective("energy", "mJ", "min"),)
    fingerprint = "added"

    def __init__(self, context: Context) -> None:
        self.context = context

    def evaluate(self, candidates):
        return one_by_one(self.objectives, candidates, lambda a: {"energy": 1.0})


@pytest.fixture
def added(install):
    """Install an evaluator under a name."""

    def add(name: str, made: type = Added) -> None:
        install("", {"evonas.evaluators": {name: "Added"}}, module="another")
        importlib.import_module("another").Added = made

    return add


def test_what_fails_is_recorded_and_the_others_go_on():
    def compute(architecture):
        causes = {1: EvaluationError("no weights"), 2: RuntimeError("out of\n memory"), 3: ZeroDivisionError()}
        if architecture in causes:
            raise causes[architecture]
        return {"x": math.nan if architecture == 4 else float(architecture)}

    rows = one_by_one((X,), as_candidates(range(6)), compute)
    assert [row["x"].value for row in rows] == [0.0, None, None, None, None, 5.0]
    assert [row["x"].cause for row in rows[1:5]] == [
        "no weights",
        "RuntimeError: out of memory",
        "ZeroDivisionError: ZeroDivisionError",
        "the value is nan",
    ]
    assert all(row["x"].seconds >= 0 for row in rows)


def test_what_an_evaluator_of_architectures_cannot_heed_is_a_failure():
    own = [Candidate(1, Recipe(epochs=3)), Candidate(1, None, (32, 32)), Candidate(1)]
    rows = one_by_one((X,), own, lambda architecture: {"x": 1.0})
    assert [row["x"].value for row in rows] == [None, None, 1.0]
    assert all("x cannot be evaluated with a recipe or resolution" in row["x"].cause for row in rows[:2])


def test_an_interruption_is_no_failed_evaluation():
    def compute(architecture):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        one_by_one((X,), as_candidates([0]), compute)


def test_all_shipped_objectives_are_known():
    assert {"acc", "flops", "params", "latency", "memory", "size", "size_int8", "swap"} <= set(known_objectives())


def test_an_unknown_objective_is_named_with_the_nearest():
    with pytest.raises(SettingsError, match=r"Unknown objective 'flosp'.*Did you mean 'flops'"):
        check_objectives(["params", "flosp"])


def test_another_package_adds_an_objective(added, tiny: Context):
    added("energy")
    assert "energy" in known_objectives()
    made = make_evaluator("energy", tiny)
    assert isinstance(made, Added)
    assert made.context is tiny


def test_an_added_evaluator_must_compute_what_it_is_registered_for(added, tiny: Context):
    added("power")
    with pytest.raises(SettingsError, match="'another:Added' is registered for 'power'"):
        make_evaluator("power", tiny)


class Incomplete:
    """What was written by hand and lacks what is optional."""

    objectives, fingerprint, evaluate = Added.objectives, Added.fingerprint, Added.evaluate

    def __init__(self, context: Context) -> None:
        self.batch = 2


def test_what_is_optional_has_its_default(tiny: Context):
    evaluator = Added(tiny)
    assert (evaluator.batch, evaluator.measures) == (1, False)
    assert (evaluator.prepare(), evaluator.shared_weights()) == (None, None)


def test_an_evaluator_that_lacks_a_member_is_refused_in_one_line(added, tiny: Context):
    added("energy", Incomplete)
    with pytest.raises(SettingsError) as refused:
        make_evaluator("energy", tiny)
    assert str(refused.value) == (
        "Expected an evaluator of 'energy' from another:Added, got one (Incomplete) without measures, prepare, "
        "shared_weights: inherit evonas.objectives.Evaluator, which has defaults of what is optional"
    )


class Complete(Incomplete):
    """What was written by hand and lacks nothing."""

    measures, prepare, shared_weights = True, Evaluator.prepare, Evaluator.shared_weights


def test_a_complete_evaluator_need_not_inherit(added, tiny: Context):
    added("energy", Complete)
    assert isinstance(make_evaluator("energy", tiny), Complete)


def test_an_added_evaluator_does_not_take_a_shipped_name(added, tiny: Context):
    added("flops")
    with pytest.raises(SettingsError, match="'flops' of another:Added"):
        make_evaluator("flops", tiny)


def test_fingerprints_tell_settings_apart():
    assert fingerprint("a", 1) == fingerprint("a", 1)
    assert len({fingerprint("a", 1), fingerprint("a", 2), fingerprint("b", 1), fingerprint({"a": 1})}) == 4


COUNTING = """
from evonas.tasks import Measure, Regression

class Counting(Regression):
    name, title, primary = "counting", "counting of things", "miscount"
    measures = (Measure("miscount", "things", "min", "mean of wrong counts"), *Regression.measures)

    def __init__(self, data):
        super().__init__(data.target_mean, data.target_std)

    def score(self, figures):
        score = super().score(figures)
        return {**score, "miscount": score["mae"]}
"""


def test_measures_of_tasks_are_objectives(install, tiny: Context):
    assert {"rmse", "mae", "r2"} <= set(registry.SHIPPED)
    with pytest.raises(SettingsError, match="Unknown objective 'miscount'"):
        registry.check_objectives(["miscount"])
    install(COUNTING, {"evonas.tasks": {"counting": "Counting"}})
    registry.check_objectives(["miscount", "rmse", "flops"])
    assert registry.describe_objectives()["miscount"] == "mean of wrong counts (min)"
    with pytest.raises(SettingsError, match="'miscount' needs data"):
        make_evaluator("miscount", tiny)
