from __future__ import annotations

import importlib

import pytest

from evonas.data import load_data, names, plugins
from evonas.errors import DataError


@pytest.fixture
def add(install):
    """Install a package that gives data under a name."""

    def add(name, call):
        install("", {"evonas.data": {name: "load"}}, module="my_package")
        importlib.import_module("my_package").load = call

    return add


def test_arrays_of_a_plugin_are_data(add, arrays):
    add("insects", lambda: arrays)
    assert names.plugin_names() == ("insects",)
    data = load_data("insects")
    assert data.name == "insects"
    assert len(data.test) == 6


def test_its_name_is_suggested(add, arrays):
    add("insects", lambda: arrays)
    with pytest.raises(DataError, match=r"Unknown data 'insect': expected 'digits', 'insects', .*mean 'insects'\?$"):
        load_data("insect")


def test_other_names_are_not_its_own(add):
    add("insects", dict)
    assert plugins.read_plugin("digits") is None


def fail():
    raise RuntimeError("no disk")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (fail, r"^Data 'bad' \(my_package:load\) failed: RuntimeError: no disk$"),
        (list, r"^Expected 'bad' \(my_package:load\) to return a mapping of arrays, got list$"),
        (dict, r"Expected the arrays x_train and y_train in .* it holds nothing$"),
    ],
)
def test_bad_plugins(add, call, message):
    add("bad", call)
    with pytest.raises(DataError, match=message):
        plugins.read_plugin("bad")
