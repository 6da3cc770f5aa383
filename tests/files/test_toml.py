from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.errors import SettingsError
from evonas.files.toml import to_toml

scalars = st.text() | st.integers() | st.floats(allow_nan=False) | st.booleans()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


def kinds(value):
    if isinstance(value, dict):
        return {key: kinds(item) for key, item in value.items()}
    return [kinds(item) for item in value] if isinstance(value, list) else (type(value), repr(value))


@given(st.dictionaries(st.text(), values, max_size=6))
def test_toml_reads_back_equal_in_value_and_type(settings):
    assert kinds(tomllib.loads(to_toml(settings))) == kinds(settings)


def test_toml_is_fit_to_be_read_by_people():
    settings = {
        "seed": 0,
        "constraints": ["flops<=20e6"],
        "supernet": {"rate": 0.1, "none": None, "deep": {"on": True}},
    }
    assert to_toml(settings) == (
        'seed = 0\nconstraints = ["flops<=20e6"]\n\n[supernet]\nrate = 0.1\n\n[supernet.deep]\non = true\n'
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"a": {"b": object()}}, "setting 'a.b', got object"),
        ({"a": [1, None]}, "setting 'a', got NoneType"),
        ({"a": {1: 2}}, "name of every setting, got 1"),
        ({"a": [{1: 2}]}, "name of every setting"),
    ],
)
def test_settings_of_other_types_are_named(settings, message):
    with pytest.raises(SettingsError, match=message):
        to_toml(settings)
