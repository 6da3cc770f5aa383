"""Options written behind a name: ``key=value`` joined by commas."""

from __future__ import annotations

from evonas.errors import SettingsError

Value = bool | int | float | str | None


def read_options(text: str, whole: str) -> dict[str, Value]:
    """Return the options of ``key=value,…``.

    Values are numbers, ``true``, ``false``, ``none``, or text.

    Args:
        text: The options alone.
        whole: What they were found in, for the message.

    Raises:
        SettingsError: A part is no ``key=value``, or a key is given twice.
    """
    options: dict[str, Value] = {}
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not key or key in options:
            raise SettingsError(f"Expected options as key=value, each once, got '{part}' in '{whole}'")
        options[key] = _value(value)
    return options


def _value(text: str) -> Value:
    words: dict[str, Value] = {"true": True, "false": False, "none": None}
    if text in words:
        return words[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            pass
    return text
