"""TOML files: read with errors in one line, and written, which Python's own `tomllib` does not."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evonas.errors import SettingsError


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Return the content of a TOML file; a mark of byte order is no part of it.

    Args:
        path: The file.
        what: What to call it in an error, such as ``the recipe``.

    Raises:
        SettingsError: It cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"Cannot read {what} {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # malformed, not UTF-8, or a number too long to read
        raise SettingsError(f"{what[0].upper()}{what[1:]} {path} is not TOML: {error}") from None


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
