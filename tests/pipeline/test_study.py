from __future__ import annotations

import shutil

import numpy as np
import pytest

from evonas.errors import EvaluationError, RunError, SettingsError
from evonas.pipeline.study import Study
from evonas.runs.front_file import read_front

OPTIONS = {"space": "nasbench201", "objectives": ("error:min", "flops"), "population": 6, "seed": 3}


def error(candidate) -> float:
    """A stand-in for a measurement: a smooth number that follows from the architecture alone."""
    return 1.0 / (1 + str(candidate).count("conv_3x3")) + 0.01 * str(candidate).count("pool")


def advance(study: Study, tells: int, at_a_time: int = 3) -> None:
    while len(study) < tells:
        for candidate in study.ask(at_a_time)[::-1]:  # values come in any order
            study.tell(candidate, {"error": error(candidate)})


def test_ten_lines_find_a_front():
    study = Study(**OPTIONS)
    advance(study, 60)
    front = study.front
    assert [o.name for o in front.objectives] == ["error", "flops"]
    assert all(member.values["flops"] >= 0 for member in front)
    errors = [member.values["error"] for member in front]
    assert errors == sorted(errors, reverse=True)  # by ascending cost, and none is dominated
    assert len(front) > 1
    assert len(study) == 60


def test_a_study_that_stops_anywhere_goes_on_as_if_it_had_not(tmp_path):
    whole = Study(**OPTIONS)
    advance(whole, 30)
    expected = whole.ask(2)
    part = Study(**OPTIONS, out=tmp_path / "run")
    advance(part, 15)
    out = part.ask(3)
    part.tell(out[2], {"error": error(out[2])})
    part.close()  # two are out, and are asked for again
    with Study(**OPTIONS, out=tmp_path / "run") as again:
        assert len(again) == 16
        assert again.ask(2) == out[:2]
        for candidate in out[1::-1]:
            again.tell(candidate, {"error": error(candidate)})
        advance(again, 30)
        assert again.front == whole.front
        assert again.ask(2) == expected


def test_a_resume_changes_nothing_that_is_stored(tmp_path):
    with Study(**OPTIONS, out=tmp_path / "run") as study:
        advance(study, 20)
        front = study.front
    assert read_front(tmp_path / "run") == front
    with pytest.raises(EvaluationError, match="Expected an open study"):
        study.tell(study.ask()[0], {"error": 0.5})
    shutil.copytree(tmp_path / "run", tmp_path / "moved")
    with Study(**OPTIONS, out=tmp_path / "moved") as moved:
        assert moved.front == front
        assert moved.run.store.changes == 0


def test_constraints_and_failures_keep_candidates_off_the_front():
    study = Study(**{**OPTIONS, "objectives": "error:min"}, constraints=("flops<=5e6", "watts<=1"))
    for i in range(40):
        (candidate,) = study.ask()
        study.tell(candidate, None if i % 3 == 0 else {"error": error(candidate), "watts": i % 2})
    failed = [member for member in study.front if not np.isfinite(member.values["error"])]
    assert failed == []
    costs = study._costs["flops"]
    for member in study.front:
        index = study._texts.index(member.architecture)
        assert index % 3 != 0
        assert study._values[index][study._names.index("flops")] <= 5e6
    assert costs.objectives[0].name == "flops"


def test_a_failure_is_stored_with_its_cause(tmp_path):
    with Study(**OPTIONS, out=tmp_path / "run") as study:
        (candidate,) = study.ask()
        study.tell(candidate, None, "out of memory")
        assert {row.cause for row in study.run.store.evaluations()} == {"out of memory"}
    with Study(**OPTIONS, out=tmp_path / "run") as again:
        assert len(again) == 1
        assert len(again.front) == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [({}, "finite value of 'error', got None"), ({"error": float("nan")}, "finite value of 'error', got nan")],
)
def test_values_that_are_missing_are_refused_and_nothing_is_taken_in(values, message):
    study = Study(**OPTIONS)
    (candidate,) = study.ask()
    with pytest.raises(EvaluationError, match=message):
        study.tell(candidate, values)
    assert len(study) == 0
    study.tell(candidate, {"error": 0.5})
    with pytest.raises(EvaluationError, match="Expected one of the 0 candidates that are out"):
        study.tell(candidate, {"error": 0.5})


def test_another_study_is_not_gone_on_with(tmp_path):
    Study(**OPTIONS, out=tmp_path / "run").close()
    with pytest.raises(RunError, match=r"another study's: population: 6 in the run, 8 now"):
        Study(**{**OPTIONS, "population": 8}, out=tmp_path / "run")
    Study(**OPTIONS, out=tmp_path / "run").close()  # the lock was given back


@pytest.mark.parametrize("objectives", ["error", "error:up", ("error:min", "error:max")])
def test_objectives_need_a_direction_and_a_name_of_their_own(objectives):
    with pytest.raises(SettingsError, match=r"such as error:min|given twice"):
        Study(objectives=objectives)
