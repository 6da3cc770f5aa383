from __future__ import annotations

import pytest

from evonas.errors import SettingsError
from evonas.files.options import read_options


def test_values_are_read_by_their_look():
    options = read_options("n=3, rate = 0.5,on=true,off=false,no=none,name=a b,odd=1e3", "x:…")
    assert options == {"n": 3, "rate": 0.5, "on": True, "off": False, "no": None, "name": "a b", "odd": 1000.0}
    assert [type(options[name]) for name in ("n", "rate", "odd")] == [int, float, float]


@pytest.mark.parametrize("text", ["", "n", "=3", "n=1,n=2", "n=1,,m=2"])
def test_what_is_no_option_is_named_with_what_it_was_found_in(text):
    with pytest.raises(SettingsError, match=r"Expected options as key=value, each once, got '.*' in 'rule:here'"):
        read_options(text, "rule:here")
