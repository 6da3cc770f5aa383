"""Curves over evaluations and seeds: regret of the incumbent, quartiles, scaling to [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from evonas.errors import SettingsError

__all__ = ["min_max", "quartiles", "regret"]


def min_max(values: ArrayLike) -> np.ndarray:
    """Scale every column of ``(n, m)`` values to [0, 1] over its finite entries; NaN stays NaN.

    Raises:
        SettingsError: A column is constant or holds no finite value.
    """
    values = np.asarray(values, dtype=np.float64)
    finite = np.where(np.isfinite(values), values, np.nan)
    if not np.isfinite(finite).any(axis=0).all():
        raise SettingsError("Expected finite values to scale in every column, got a column without any.")
    low, high = np.nanmin(finite, axis=0), np.nanmax(finite, axis=0)
    if np.any(high <= low):
        constant = np.flatnonzero(high <= low).tolist()
        raise SettingsError(f"Expected values that vary, got one value alone in column {constant}.")
    scaled: np.ndarray = (values - low) / (high - low)
    return scaled


def regret(
    truth: ArrayLike, optimum: float, evaluations: Sequence[int], *, estimates: ArrayLike | None = None
) -> np.ndarray:
    """Return how far the incumbent lies below the optimum after each number of evaluations.

    Args:
        truth: True values in the order of evaluation, higher is better, shape ``(n,)`` or ``(seeds, n)``.
        optimum: Best true value there is.
        evaluations: Each between 1 and n.
        estimates: What the search selects its incumbent by, shape of `truth`; None: by the truth itself. With
            estimates the regret is that of the selected member, and may rise.

    Returns:
        Shape ``(len(evaluations),)`` or ``(seeds, len(evaluations))``; infinite while all have failed.

    Raises:
        SettingsError: Shapes that do not fit, or more evaluations than there are values.
    """
    truth = np.asarray(truth, dtype=np.float64)
    guide = truth if estimates is None else np.asarray(estimates, dtype=np.float64)
    if guide.shape != truth.shape or truth.ndim not in (1, 2):
        raise SettingsError(f"Expected truth and estimates of one shape, got {truth.shape}, {guide.shape}.")
    if any(not 1 <= count <= truth.shape[-1] for count in evaluations):
        raise SettingsError(f"Expected 1 to {truth.shape[-1]} evaluations, got {list(evaluations)}.")
    # An estimate without a truth cannot be compared: it is a failed evaluation too.
    guide = np.where(np.isnan(guide) | np.isnan(truth), -np.inf, guide)
    curves = []
    for count in evaluations:
        chosen = guide[..., :count].argmax(axis=-1)[..., None]
        value = np.take_along_axis(truth, chosen, axis=-1)[..., 0]
        failed = np.isneginf(np.take_along_axis(guide, chosen, axis=-1)[..., 0])
        curves.append(np.where(failed, np.inf, optimum - value))
    return np.stack(curves, axis=-1)


def quartiles(values: ArrayLike) -> np.ndarray:
    """Return the 25 %, 50 % and 75 % quantiles over the first axis (seeds), shape ``(3, ...)``."""
    return np.quantile(np.asarray(values, dtype=np.float64), [0.25, 0.5, 0.75], axis=0)
