"""What the catalog lists is what there is."""

from __future__ import annotations

import importlib

import pytest

from evonas.errors import SettingsError
from evonas.evolution import algorithms
from evonas.objectives import known_objectives
from evonas.pipeline.catalog import DEFAULTS, KINDS, list_entries
from evonas.predictors import REGRESSORS
from evonas.proxies import proxies
from evonas.spaces import shipped
from evonas.supernet.rules.registry import RULES, named_settings
from evonas.training import load_recipe, recipe_names


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("spaces", shipped()),
        ("objectives", known_objectives()),
        ("proxies", proxies()),
        ("rules", {*RULES, *named_settings()}),
        ("algorithms", algorithms),
        ("predictors", {*REGRESSORS, "lightgbm"}),  # which needs an extra, and is listed without it too
        ("recipes", recipe_names()),
    ],
)
def test_names_are_the_registries(kind, expected):
    names = [entry.name for entry in list_entries(kind)]
    assert sorted(names) == sorted(expected)
    assert DEFAULTS.get(kind, names[0]) in names


@pytest.mark.parametrize("kind", [*KINDS])
def test_entries_say_what_they_are_in_a_line_and_where(kind):
    for entry in list_entries(kind):
        assert entry.text
        assert "\n" not in entry.text.strip()
        if entry.path:
            module, _, attribute = entry.path.partition(":")
            assert hasattr(importlib.import_module(module), attribute)


def test_every_recipe_that_is_listed_loads():
    for entry in list_entries("recipes"):
        assert load_recipe(entry.name).epochs > 0


def test_an_unknown_kind_is_refused():
    with pytest.raises(SettingsError, match="Did you mean 'proxies'"):
        list_entries("proxys")
