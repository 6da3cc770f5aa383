"""Durations: in words, and read from texts such as ``1h30m``."""

from __future__ import annotations

import re

from evonas.errors import SettingsError

__all__ = ["duration", "parse_time"]


def duration(seconds: float) -> str:
    """Length of time in words, such as ``8 s``, ``2 min 5 s``, ``1 h 20 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    minutes = round(seconds / 60)
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def parse_time(text: str) -> float:
    """Return the seconds in a duration such as ``90s``, ``30m``, ``1.5h`` or ``1h30m``.

    Raises:
        SettingsError: No duration, or none above 0.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    seconds = sum(float(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text.strip() or seconds <= 0:
        raise SettingsError(f"A time is a duration such as 90s, 30m or 1h30m, got '{text}'")
    return seconds
