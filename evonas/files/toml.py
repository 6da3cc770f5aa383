"""Settings written as TOML, which Python's own `tomllib` only reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from evonas.errors import SettingsError


def to_toml(settings: Mapping[str, Any]) -> str:
    """Return settings as TOML that `tomllib` reads back equal.

    Args:
        settings: Text, integers, floats, booleans, lists and nested mappings of these, with text as keys. An
            entry that is None is left out, for TOML has no such value.

    Raises:
        SettingsError: A value of another type; the message names it.
    """
    return "\n".join(_table(settings, ())) + "\n"


def _table(table: Mapping[str, Any], where: tuple[str, ...]) -> list[str]:
    lines, nested = [], []
    for key, value in table.items():
        if isinstance(value, Mapping):
            here = (*where, key)
            nested += ["", f"[{'.'.join(map(_name, here))}]", *_table(value, here)]
        elif value is not None:
            lines.append(f"{_name(key)} = {_value(value, (*where, key))}")
    return lines + nested


def _value(value: Any, where: tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item, where) for item in value)}]"
    if isinstance(value, Mapping):
        items = ((key, item) for key, item in value.items() if item is not None)
        return f"{{{', '.join(f'{_name(key)} = {_value(item, (*where, key))}' for key, item in items)}}}"
    raise SettingsError(
        f"Expected text, a number, a boolean, a list or a table as setting '{'.'.join(where)}',"
        f" got {type(value).__name__}."
    )


def _name(key: str) -> str:
    if not isinstance(key, str):
        raise SettingsError(f"Expected text as the name of every setting, got {key!r}.")
    return key if key.isascii() and key.replace("-", "_").isidentifier() else _text(key)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML escapes one character more
