"""Levels: measurements at several fidelities, brought to the highest that enough architectures have reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["MIN_SHARED", "Fused", "fuse_levels"]

MIN_SHARED = 4
"""Number of architectures that two levels must share for one to tell the other."""


@dataclass(frozen=True)
class Fused:
    """Values on one level.

    Attributes:
        architectures: Numbers of the architectures, ascending.
        values: Their values on the level, shape ``(n,)``.
        measured: Whether each was measured there; else it follows from the levels below.
        level: The level.
    """

    architectures: np.ndarray
    values: np.ndarray
    measured: np.ndarray
    level: int


def fuse_levels(architectures: np.ndarray, levels: np.ndarray, values: np.ndarray) -> Fused:
    """Bring measurements of a ladder to one scale.

    From each level to the next goes the line of least squares through the architectures that both have measured; it
    gives the others what is expected of them there. That only the best of a level climb does not bias it, for they
    were chosen by what the line starts from. The line never falls. A level that fewer than `MIN_SHARED` architectures
    share with the one below is not reached, and its measurements are not used.

    Args:
        architectures: Number of the architecture of each measurement, shape ``(m,)``.
        levels: Its level, whole numbers, ascending in cost; each architecture once per level.
        values: What was measured, finite.

    Returns:
        One value for each architecture that a level in use has measured.
    """
    first, *others = np.unique(levels).tolist()
    held = {level: dict(zip(architectures[levels == level].tolist(), values[levels == level].tolist(), strict=True))
            for level in (first, *others)}  # fmt: skip
    current: dict[int, float] = held[first]
    level = first
    for above in others:
        shared = sorted(current.keys() & held[above].keys())
        if len(shared) < MIN_SHARED:
            break
        x, y = (np.array([values[one] for one in shared]) for values in (current, held[above]))
        centered = x - x.mean()
        squares = float(centered @ centered)
        slope = max(0.0, float(centered @ y) / squares) if squares > 0 else 0.0
        expected = {one: float(y.mean()) + slope * (value - float(x.mean())) for one, value in current.items()}
        current, level = expected | held[above], above
    numbers = sorted(current)
    return Fused(
        np.array(numbers, dtype=np.int64),
        np.array([current[one] for one in numbers]),
        np.array([one in held[level] for one in numbers]),
        int(level),
    )
