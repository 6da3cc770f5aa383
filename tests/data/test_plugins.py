from __future__ import annotations

import pytest

from evonas.data import load_data, names, plugins
from evonas.errors import DataError


class Point:
    """An entry point of an installed package."""

    value = "my_package:load"

    def __init__(self, name, call):
        self.name, self.call = name, call

    def load(self):
        return self.call


@pytest.fixture
def install(monkeypatch):
    def install(name, call):
        monkeypatch.setattr(names, "entry_points", lambda group: [Point(name, call)] if group == "evonas.data" else [])

    return install


def test_arrays_of_a_plugin_are_data(install, arrays):
    install("insects", lambda: arrays)
    assert names.plugin_names() == ("insects",)
    data = load_data("insects")
    assert data.name == "insects"
    assert len(data.test) == 6


def test_its_name_is_suggested(install, arrays):
    install("insects", lambda: arrays)
    with pytest.raises(DataError, match=r"Unknown data 'insect': expected 'digits', 'insects', .*mean 'insects'\?$"):
        load_data("insect")


def test_other_names_are_not_its_own(install):
    install("insects", dict)
    assert plugins.read_plugin("digits") is None


def fail():
    raise RuntimeError("no disk")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (fail, r"^Data 'bad' \(my_package:load\) failed: RuntimeError: no disk$"),
        (list, r"^Expected 'bad' \(my_package:load\) to return a mapping of arrays, got list$"),
        (dict, r"missing: x_train, y_train, x_test, y_test \(it holds nothing\)$"),
    ],
)
def test_bad_plugins(install, call, message):
    install("bad", call)
    with pytest.raises(DataError, match=message):
        plugins.read_plugin("bad")
