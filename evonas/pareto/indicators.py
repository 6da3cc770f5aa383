"""Indicators of a front: hypervolume, distances to the true front.

Points are minimized in every objective. A point with a NaN is a failed evaluation and adds nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import moocore
import numpy as np
from numpy.typing import ArrayLike

from evonas.errors import SettingsError

__all__ = ["hypervolume", "hypervolume_box", "hypervolume_curve", "igd", "igd_plus"]

MARGIN = 0.1
"""How far the reference point lies beyond the worst value seen, as a share of the range: without it the ends of a
front would add nothing, and a front of two would have no volume."""


def hypervolume_box(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Box that a hypervolume is a share of, from the best values seen to the reference point.

    An axis on which all values are equal has a margin of `MARGIN` of the value instead, or of 1 where it is 0.

    Args:
        values: Finite minimized floats of shape ``(n, m)``, n of 1 or more.

    Returns:
        The best of each objective and the extent of each axis, both of shape ``(m,)``: their sum is the reference
        point, and ``(values - best) / extent`` has the reference point (1, …, 1).
    """
    low, high = values.min(axis=0), values.max(axis=0)
    flat = MARGIN * np.where(high == 0.0, 1.0, np.abs(high))
    return low, np.where(high > low, (1.0 + MARGIN) * (high - low), flat)


def hypervolume(points: ArrayLike, reference_point: ArrayLike) -> float:
    """Return the volume that minimized points dominate up to a reference point.

    Args:
        points: Shape ``(n, m)``; points that do not lie below the reference in every objective add nothing.
        reference_point: Shape ``(m,)``, finite. State it beside the number, which means nothing without it.

    Raises:
        SettingsError: Shapes that do not fit, or values of minus infinity.

    Source: Zitzler and Thiele (1998); computed by moocore.
    """
    points, reference = _points(points), np.asarray(reference_point, dtype=np.float64)
    if reference.shape != (points.shape[1],) or not np.isfinite(reference).all():
        raise SettingsError(
            f"Expected a finite reference point with {points.shape[1]} values, got {reference.tolist()}."
        )
    if np.isneginf(points).any():
        raise SettingsError("Expected finite objectives, got minus infinity: its hypervolume has no bound.")
    below = points[(points < reference).all(axis=1)]
    return float(moocore.hypervolume(below, ref=reference)) if len(below) else 0.0


def hypervolume_curve(points: ArrayLike, reference_point: ArrayLike, evaluations: Sequence[int]) -> np.ndarray:
    """Return the hypervolume of the first e points, in the order they were evaluated, for each e.

    Args:
        points: Shape ``(n, m)``, minimized.
        reference_point: Shape ``(m,)``.
        evaluations: Each between 0 and n.

    Returns:
        Shape ``(len(evaluations),)``.

    Raises:
        SettingsError: More evaluations are asked for than there are points.
    """
    points = _points(points)
    if any(not 0 <= count <= len(points) for count in evaluations):
        raise SettingsError(f"Expected 0 to {len(points)} evaluations, got {list(evaluations)}.")
    return np.array([hypervolume(points[:count], reference_point) for count in evaluations])


def igd(points: ArrayLike, front: ArrayLike) -> float:
    """Return the mean Euclidean distance from each point of the true front to the nearest of the points.

    Args:
        points: Shape ``(n, m)``, minimized. No points are infinitely far.
        front: The true front, or the union of all runs' where it is not known, shape ``(k, m)``.

    Raises:
        SettingsError: An empty front.
    """
    return _distance(moocore.igd, points, front)


def igd_plus(points: ArrayLike, front: ArrayLike) -> float:
    """Return IGD with the distance ``||max(a - z, 0)||``: unlike IGD it never prefers a dominated set.

    Args and errors as in `igd`. Source: Ishibuchi et al. (2015).
    """
    return _distance(moocore.igd_plus, points, front)


def _points(points: ArrayLike) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] == 0:
        raise SettingsError(f"Expected points of shape (n, m), got shape {points.shape}.")
    return points


def _distance(indicator: Callable[..., float], points: ArrayLike, front: ArrayLike) -> float:
    found, true = _points(points), _points(front)
    if not len(true) or not np.isfinite(true).all() or true.shape[1] != found.shape[1]:
        raise SettingsError(f"Expected a finite front of shape (k, {found.shape[1]}), got {true.shape}.")
    found = found[np.isfinite(found).all(axis=1)]
    return float(indicator(found, ref=true)) if len(found) else math.inf
