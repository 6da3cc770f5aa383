"""Attainment surfaces of several fronts: what at least so many of them reach."""

from __future__ import annotations

from collections.abc import Sequence

import moocore
import numpy as np
from numpy.typing import ArrayLike

from evonas.errors import SettingsError

__all__ = ["MOST_OBJECTIVES", "attainment_surface"]

MOST_OBJECTIVES = 3
"""Objectives up to which surfaces can be computed."""


def attainment_surface(fronts: Sequence[ArrayLike], reached: int) -> np.ndarray:
    """Return the minimal points that at least so many of the fronts weakly dominate.

    With half of the fronts it is the median front. Of one objective it is a single value.

    Args:
        fronts: Minimized floats, each of shape ``(points, m)``; one without points reaches nothing.
        reached: Number of fronts, 1 or more.

    Returns:
        Shape ``(k, m)``, sorted by the first objective; no points where too few fronts have any.

    Raises:
        SettingsError: Shapes that do not fit, more objectives than `MOST_OBJECTIVES`, or more fronts than there are.

    Source: Fonseca, Guerreiro, López-Ibáñez and Paquete (EMO 2011); computed by moocore.
    """
    points = [np.asarray(front, dtype=np.float64) for front in fronts]
    widths = {one.shape[1] if one.ndim == 2 else None for one in points}
    if len(widths) != 1 or None in widths:
        raise SettingsError(f"Expected fronts of one shape (points, m), got {[one.shape for one in points]}")
    width = points[0].shape[1]
    if not 1 <= width <= MOST_OBJECTIVES:
        raise SettingsError(f"Attainment surfaces have 1 to {MOST_OBJECTIVES} objectives, got {width}")
    if not 1 <= reached <= len(points):
        raise SettingsError(f"Expected 1 to {len(points)} fronts that reach a surface, got {reached}")
    if not all(np.isfinite(one).all() for one in points):
        raise SettingsError("Expected finite values on fronts, got one that is not")
    some = [one for one in points if len(one)]
    if len(some) < reached:
        return np.zeros((0, width))
    if width == 1:
        return np.array([[sorted(float(one.min()) for one in some)[reached - 1]]])
    sets = np.repeat(np.arange(1, len(some) + 1), [len(one) for one in some])
    found = moocore.eaf(np.concatenate(some), sets=sets)
    surface = found[np.rint(found[:, -1] * len(some) / 100) == reached, :-1]
    ascending: np.ndarray = surface[np.lexsort(surface.T[::-1])]
    return ascending
