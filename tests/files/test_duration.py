from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.errors import SettingsError
from evonas.files.duration import parse_time
from evonas.files.share import parse_share


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1.5h", 5400), ("1h30m", 5400), ("1d", 86400)]
)
def test_durations(text, seconds):
    assert parse_time(text) == seconds


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_an_error(text):
    try:
        seconds = parse_time(text)
    except SettingsError:
        return
    assert seconds > 0


@pytest.mark.parametrize(("text", "share"), [("2%", 0.02), ("0.02", 0.02), (" 100% ", 1.0), ("0", 0.0)])
def test_shares(text, share):
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["", "%", "two", "2", "101%", "-1%", "nan"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(SettingsError, match=r"^Expected a share such as 2% or 0\.02, got"):
        parse_share(text)
