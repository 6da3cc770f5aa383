"""A search for regression: from an archive of continuous targets to a front of errors."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from evonas.config import make_settings
from evonas.errors import SettingsError
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.run import search
from evonas.runs.front_file import read_front


@pytest.fixture(scope="module")
def brightness(tmp_path_factory):
    """Digits whose target is their mean brightness, in thousandths."""
    images = load_digits().images[:400].astype(np.float64) / 16
    target = 1000 * images.mean((1, 2))
    path = tmp_path_factory.mktemp("data") / "brightness.npz"
    np.savez(path, x_train=images[:320], y_train=target[:320], x_test=images[320:], y_test=target[320:])
    return str(path)


SMALL = {"space": "nasbench201", "warm_start": 8, "population": 4, "generations": 2, "epochs": 1}


def test_errors_are_optimized_where_nobody_names_objectives(brightness):
    problem = SearchProblem(make_settings(data=brightness, space="nasbench201"))
    assert problem.settings.objectives == ("rmse", "flops")
    assert problem.learned == ["rmse"]
    assert problem.skeleton.classes == 1


@pytest.mark.parametrize("objectives", [("acc", "flops"), ("flops", "acc")])
def test_accuracy_is_refused_and_the_error_named(brightness, objectives):
    with pytest.raises(SettingsError, match=r"'acc' is for classification.* use 'rmse'"):
        SearchProblem(make_settings(data=brightness, space="nasbench201", objectives=objectives))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"estimator": "supernet:loss"}, "'supernet:loss' is of accuracy alone: for 'rmse'"),
    ],
)
def test_estimates_of_accuracy_are_refused(brightness, settings, message):
    with pytest.raises(SettingsError, match=message):
        SearchProblem(make_settings(data=brightness, space="nasbench201", **settings))


def test_a_search_gives_a_front_of_errors_that_are_reported_too(brightness, tmp_path):
    run = search(data=brightness, out=tmp_path / "run", objectives=("rmse", "r2", "flops"), **SMALL)
    front = read_front(run)
    assert [o.direction for o in front.objectives] == ["min", "max", "min"]
    for member in front:
        assert 0 < member.values["rmse"] < 1e5
        assert member.values["r2"] < 1
        assert member.known["rmse_report"] > 0


def test_short_trainings_estimate_errors_too(brightness, tmp_path):
    settings = {**SMALL, "warm_start": 0, "population": 3, "generations": 1, "estimator": "train:1"}
    run = search(data=brightness, out=tmp_path / "run", objectives=("rmse", "flops"), surrogate=False, **settings)
    assert all(0 < member.values["rmse"] < 1e5 for member in read_front(run))
    notes = run.store.notes()
    assert {note["rmse_report"].detail["by"] for note in notes.values() if "rmse_report" in note} == {
        "short training, the half not selected on"
    }
