"""Wording of what a validated file or setting got wrong: what was expected, and what came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PLAIN = {
    "missing": "is missing",
    "string_type": "expected a text",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "list_type": "expected a list",
    "tuple_type": "expected a list",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "model_attributes_type": "expected a table",
}
"""Pydantic's kinds of error that say all by themselves."""
_BOUNDS = {
    "greater_than": ("gt", "expected a number above {}"),
    "greater_than_equal": ("ge", "expected {} or more"),
    "less_than": ("lt", "expected a number below {}"),
    "less_than_equal": ("le", "expected at most {}"),
    "too_short": ("min_length", "expected {} or more of them"),
    "too_long": ("max_length", "expected at most {} of them"),
    "string_too_short": ("min_length", "expected a text of {} characters or more"),
    "string_too_long": ("max_length", "expected a text of at most {} characters"),
    "literal_error": ("expected", "expected {}"),
}
"""Kinds of error with a bound, the name of that in the error's context, and how it is said."""


def _plain(bound: object) -> str:
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:g}" if isinstance(bound, float) else str(bound)


def word_error(error: Mapping[str, Any]) -> str:
    """Return one of pydantic's errors in plain words: what was expected, and what came where that is not said yet.

    Args:
        error: One entry of ``ValidationError.errors()``.
    """
    kind = error["type"]
    if kind == "value_error":  # our own words, which hold what came
        return str(error["msg"]).removeprefix("Value error, ")
    if kind == "missing":
        return _PLAIN[kind]
    if kind in _BOUNDS:
        name, form = _BOUNDS[kind]
        text = form.format(_plain(error["ctx"][name]))
    else:
        text = _PLAIN.get(kind, str(error["msg"]))
    return f"{text}, got {error['input']!r:.60}"
