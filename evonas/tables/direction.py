"""Direction of a column: whether high or low is better, as stated or as its name says."""

from __future__ import annotations

import re

from evonas.errors import SettingsError
from evonas.pareto.objective import Direction, split_direction

__all__ = ["column_direction"]

_HIGHER = re.compile(r"(acc|accuracy|top)\d*|precision|recall|auc|m?iou|psnr")
_LOWER = re.compile(r"flops?|macs?|madds|params?|parameters|latency|ms|us|time|energy|mj|memory|bytes|size")
_ERROR = re.compile(r"err|error|loss")  # goes before the others: "top1_error"
_SPREAD = re.compile(r"std|sd|var|mad|se")  # the spread of an accuracy is no accuracy


def column_direction(text: str) -> tuple[str, Direction]:
    """Split ``NAME:max`` or ``NAME:min``, or know the direction by the column's name.

    Returns:
        The name, and "max" or "min".

    Raises:
        SettingsError: The direction is neither given nor known by the name.
    """
    name, direction = split_direction(text)
    if direction:
        return name, "max" if direction == "max" else "min"
    words = re.split(r"[^a-z0-9]+", text.strip().lower())
    higher, lower, error, spread = (
        any(rule.fullmatch(word) for word in words) for rule in (_HIGHER, _LOWER, _ERROR, _SPREAD)
    )
    if spread or not (error or higher != lower):
        raise SettingsError(f"Is '{text}' better high or low? Say it: {text}:max or {text}:min.")
    return text.strip(), "max" if higher and not error else "min"
