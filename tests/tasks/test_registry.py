from __future__ import annotations

from types import SimpleNamespace

import pytest

from evonas.errors import SettingsError
from evonas.tasks import Classification, Regression, make_task, registry, task_measures, task_names
from evonas.tasks.measure import BY_CLASS, CALIBRATION


def test_the_packages_own_are_made_of_what_the_data_say():
    task = make_task(SimpleNamespace(task="classification", classes=("a", "b"), class_weights=None))
    assert isinstance(task, Classification)
    assert task.head.outputs == 2
    data = SimpleNamespace(task="regression", classes=("x",), target_mean=(3.0,), target_std=(2.0,))
    assert make_task(data).head.readout().mean == 3
    assert isinstance(make_task(data), Regression)


def test_measures_that_are_objectives_are_those_of_classes_calibration_and_regression():
    assert task_measures() == {measure.name: measure for measure in (*BY_CLASS, *CALIBRATION, *Regression.measures)}


def test_an_unknown_task_is_refused_by_name():
    with pytest.raises(SettingsError, match="Did you mean 'regression'"):
        make_task(SimpleNamespace(task="regresion", classes=()))


COUNTING = """
from evonas.tasks import Measure, Regression

class Counting(Regression):
    name, title = "counting", "counting of things"
    measures = (*Regression.measures, Measure("miscount", "things", "min", "mean of wrong counts"))

def make(data):
    return Counting(data.target_mean, data.target_std)

make.measures = Counting.measures
"""


def test_other_packages_add_tasks_and_measures(install):
    install(COUNTING, {registry.GROUP: {"counting": "make"}})
    assert task_names() == ["classification", "regression", "counting"]
    assert list(task_measures()) == [*(one.name for one in (*BY_CLASS, *CALIBRATION)), "rmse", "mae", "r2", "miscount"]
    data = SimpleNamespace(task="counting", classes=("a",), target_mean=(1.0,), target_std=(2.0,))
    assert make_task(data).title == "counting of things"


def test_a_name_that_is_taken_is_refused(install):
    install("", {registry.GROUP: {"regression": "make"}}, module="second")
    with pytest.raises(SettingsError, match="it is taken"):
        task_names()


def test_a_task_that_cannot_be_imported_is_named(install):
    install("import nowhere_at_all", {registry.GROUP: {"counting": "make"}})
    with pytest.raises(SettingsError, match=r"'counting' of plugged:make cannot be imported \(No module.*reinstall"):
        task_measures()
