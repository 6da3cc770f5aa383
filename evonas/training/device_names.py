"""Names of devices, checked without torch."""

from __future__ import annotations

from evonas.errors import SettingsError, suggest

__all__ = ["check_device"]

NAMES = ("auto", "cpu", "cuda")


def check_device(name: str) -> None:
    """Refuse a name that no device can have.

    Args:
        name: ``auto``, ``cpu``, ``cuda``, or one of several as ``cuda:1``.

    Raises:
        SettingsError: Another name.
    """
    kind, mark, number = name.partition(":")
    if (kind == "cuda" and (not mark or number.isdecimal())) or name in NAMES:
        return
    raise SettingsError(f"Unknown device '{name}': expected auto, cpu or cuda.{suggest(name, NAMES)}")
