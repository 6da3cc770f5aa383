"""Share of a whole, as people write one."""

from __future__ import annotations

from evonas.errors import SettingsError

__all__ = ["parse_share"]


def parse_share(text: str) -> float:
    """Return the share in a text such as ``2%`` or ``0.02``.

    Raises:
        SettingsError: No number, or none of 0 to 1.
    """
    number = text.strip()
    try:
        share = float(number.removesuffix("%")) / (100 if number.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise SettingsError(f"Expected a share such as 2% or 0.02, got '{text}'")
    return share
