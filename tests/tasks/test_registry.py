from __future__ import annotations

from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from evonas.errors import SettingsError
from evonas.tasks import MEASURES, Classification, Regression, make_task, registry, task_names


def test_the_packages_own_are_made_of_what_the_data_say():
    task = make_task(SimpleNamespace(task="classification", classes=("a", "b")))
    assert isinstance(task, Classification)
    assert task.outputs == 2
    data = SimpleNamespace(task="regression", classes=("x",), target_mean=(3.0,), target_std=(2.0,))
    assert make_task(data).readout().mean == 3
    assert isinstance(make_task(data), Regression)


def test_measures_that_are_objectives_are_those_of_regression():
    assert list(MEASURES) == [measure.name for measure in Regression.measures]


def test_an_unknown_task_is_refused_by_name():
    with pytest.raises(SettingsError, match="Did you mean 'regression'"):
        make_task(SimpleNamespace(task="regresion", classes=()))


def make_counting(data):
    return Classification(len(data.classes))


def test_other_packages_add_tasks(monkeypatch):
    points = [EntryPoint("counting", f"{__name__}:make_counting", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    monkeypatch.setattr(EntryPoint, "load", lambda self: make_counting)
    assert task_names() == ["classification", "regression", "counting"]
    assert make_task(SimpleNamespace(task="counting", classes=("a",))).outputs == 1
    points.append(EntryPoint("regression", "other:make", registry.GROUP))
    with pytest.raises(SettingsError, match="it is taken"):
        task_names()
