"""Amount in a bound: a number with an optional unit, read into the unit that an objective has."""

from __future__ import annotations

import math
import re

from evonas.errors import SettingsError

__all__ = ["is_fraction", "read_amount"]

COUNTS = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}
BYTES = {
    "B": 1.0, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30,
}  # fmt: skip
MILLISECONDS = {"us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3}
FRACTIONS = {"%": 1e-2}
SHARES = ("acc", "balanced", "macro", "auroc")
"""First words of the names of objectives from 0 to 1; ``recall:CLASS`` and ``robust:NAME`` are others."""
UNITS = {
    "flops": COUNTS, "params": COUNTS, "size": BYTES | COUNTS, "memory": BYTES | COUNTS, "latency": MILLISECONDS,
    **dict.fromkeys(SHARES, FRACTIONS),
}  # fmt: skip
"""Units of the objectives with a known one, by the first word of their names: ``latency_measured`` is a latency."""


def is_fraction(name: str) -> bool:
    """Return whether an objective is a fraction from 0 to 1, of which bounds may be given in per cent."""
    return name.split("_")[0] in SHARES or name.startswith(("recall:", "robust:"))


def read_amount(text: str, name: str) -> float:
    """Number in the unit of an objective that a text such as ``20M``, ``0.2ms``, ``1MB`` or ``95%`` stands for.

    A number alone is in the objective's own unit: multiply-adds, parameters, bytes, milliseconds, a fraction.
    Of any other name, such as a table's column, ``k``, ``M``, ``G`` and ``%`` are read.

    Args:
        text: The amount.
        name: What it bounds.

    Raises:
        SettingsError: No finite number, or a unit that the objective does not have.
    """
    units = FRACTIONS if is_fraction(name) else UNITS.get(name.split("_")[0], COUNTS | FRACTIONS)
    match = re.fullmatch(r"([-+0-9._]+(?:[eE][-+]?[0-9]+)?)\s*([A-Za-zµ%]*)", text.strip())
    try:
        value = float(match[1]) if match else math.nan
    except ValueError:
        value = math.nan
    if match is None or not math.isfinite(value):
        raise SettingsError(f"A bound is NAME<=NUMBER or NAME>=NUMBER, such as flops<=20M, got '{text}'")
    if not match[2]:
        return value
    if match[2] not in units:
        raise SettingsError(
            f"A bound is NAME<=NUMBER or NAME>=NUMBER, and units of '{name}' are {', '.join(units)}; got '{text}'"
        )
    if units is FRACTIONS or match[2] == "%":
        return float(f"{match[1]}e-2") if "e" not in match[1].lower() else value * 1e-2  # 95% is 0.95 to the bit
    return value * units[match[2]]
