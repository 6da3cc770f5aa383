"""Errors of validated files are said in plain words."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from evonas.files.wording import word_error


class Checked(BaseModel):
    whole: int = 1
    share: float = Field(0.5, gt=0, lt=1)
    count: int = Field(2, ge=2, le=10**5)
    kind: Literal["local", "ray"] = "local"
    flag: bool = False
    names: list[str] = []
    pair: Annotated[list[int], Field(min_length=2)] = [1, 2]
    even: int = 2
    text: str = ""

    @field_validator("even")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError(f"expected an even number, got {value}")
        return value


class Needed(BaseModel):
    name: str


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"whole": 1.5}, "expected a whole number, got 1.5"),
        ({"whole": "x"}, "expected a whole number, got 'x'"),
        ({"share": 3.0}, "expected a number below 1, got 3.0"),
        ({"share": -1}, "expected a number above 0, got -1"),
        ({"count": 1}, "expected 2 or more, got 1"),
        ({"count": 10**6}, "expected at most 100,000, got 1000000"),
        ({"kind": "here"}, "expected 'local' or 'ray', got 'here'"),
        ({"flag": "x"}, "expected true or false, got 'x'"),
        ({"names": 3}, "expected a list, got 3"),
        ({"pair": [1]}, "expected 2 or more of them, got [1]"),
        ({"even": 3}, "expected an even number, got 3"),
        ({"text": 3}, "expected a text, got 3"),
    ],
)
def test_words_say_what_was_expected_and_what_came(given, words):
    with pytest.raises(ValidationError) as caught:
        Checked.model_validate(given)
    assert word_error(caught.value.errors()[0]) == words


def test_what_is_missing_has_no_value():
    with pytest.raises(ValidationError) as caught:
        Needed.model_validate({})
    assert word_error(caught.value.errors()[0]) == "is missing"
