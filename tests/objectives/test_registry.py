from __future__ import annotations

import math
from importlib.metadata import EntryPoint

import pytest
import torch

from evonas.errors import EvaluationError, SettingsError
from evonas.objectives import (
    Context,
    Evaluator,
    check_objectives,
    fingerprint,
    known_objectives,
    make_evaluator,
    registry,
    torch_threads,
)
from evonas.objectives.contract import one_by_one
from evonas.pareto.objective import Objective
from evonas.spaces import Candidate, Recipe, as_candidates
from evonas.tasks import MEASURES

X = Objective("x", "", "min")


class Added:
    """An evaluator of another package."""

    objectives = (Objective("energy", "mJ", "min"),)
    fingerprint = "added"

    def __init__(self, context: Context) -> None:
        self.context = context

    def evaluate(self, candidates):
        return one_by_one(self.objectives, candidates, lambda a: {"energy": 1.0})


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch):
    """Install an evaluator under a name."""

    def install(name: str) -> None:
        point = EntryPoint(name, "another:Added", "evonas.evaluators")
        monkeypatch.setattr(EntryPoint, "load", lambda self: Added)
        monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == "evonas.evaluators" else [])

    return install


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
    assert isinstance(made, Evaluator)
    assert made.context is tiny


def test_an_added_evaluator_must_compute_what_it_is_registered_for(added, tiny: Context):
    added("power")
    with pytest.raises(SettingsError, match="'another:Added' is registered for 'power'"):
        make_evaluator("power", tiny)


def test_an_added_evaluator_does_not_take_a_shipped_name(added, tiny: Context):
    added("flops")
    with pytest.raises(SettingsError, match="'flops' of another:Added"):
        make_evaluator("flops", tiny)


def test_fingerprints_tell_settings_apart():
    assert fingerprint("a", 1) == fingerprint("a", 1)
    assert len({fingerprint("a", 1), fingerprint("a", 2), fingerprint("b", 1), fingerprint({"a": 1})}) == 4


def test_threads_are_put_back_also_after_an_error():
    before = torch.get_num_threads()

    def work():
        with torch_threads(before + 1):
            assert torch.get_num_threads() == before + 1
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        work()
    assert torch.get_num_threads() == before


def test_measures_of_tasks_are_objectives():
    assert set(MEASURES) <= set(registry.SHIPPED)
    assert all(registry.SHIPPED[name].named for name in MEASURES)
