"""Variance of accuracies by its source: searched choices, the frame around them, and chance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from evonas.benchmarks.ablation import RESAMPLES, interval
from evonas.errors import SettingsError

__all__ = ["CHOICES", "explain_variance"]

CHOICES = "searched choices"


def explain_variance(values: np.ndarray, factors: Sequence[str], *, resamples: int = RESAMPLES) -> list[dict[str, Any]]:
    """Return the share of the variance that each source explains: an analysis of variance of a full factorial design.

    Args:
        values: Shape ``(architectures, levels of the first factor, …, trainings)``: every architecture is trained at
            every combination of levels, each as often.
        factors: Names of the frame's factors, such as ``cells`` and ``channels``.
        resamples: Bootstrap samples of architectures behind each interval.

    Returns:
        Rows ``source, df, share, share_low, share_high, adjusted``. Sources are the searched choices, each factor,
        the factors together beyond their sum (where there are several), the choices with the frame (an architecture
        that gains more than others), and seeds (where there are several trainings). ``share`` is SS / SS_total;
        ``adjusted`` is omega squared, ``(SS - df MS_noise) / (SS_total + MS_noise)``, which chance does not raise
        (Hays: Statistics for Psychologists, 1963). The noise is that of seeds or, without, of the choices with the
        frame. Shares sum to 1.

    Raises:
        SettingsError: Fewer than two architectures or levels, accuracies missing, or all equal.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != len(factors) + 2 or not factors or min(values.shape[:-1]) < 2 or values.shape[-1] < 1:
        raise SettingsError(
            f"Expected two architectures and two levels of each factor ({', '.join(factors) or 'none'}) or more, "
            f"got accuracies of shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise SettingsError(f"Expected every accuracy of the design, got {int((~np.isfinite(values)).sum())} unknown")
    if not np.ptp(values):
        raise SettingsError("Expected accuracies that vary, got one value everywhere: there is nothing to explain")
    squares, degrees = _squares(values, factors), _degrees(values.shape, factors)
    total = sum(squares.values())
    noise = next(source for source in reversed(degrees) if degrees[source])
    noise_mean = squares[noise] / degrees[noise]
    rng, drawn = np.random.default_rng(0), []
    for _ in range(resamples):
        once = _squares(values[rng.integers(len(values), size=len(values))], factors)
        if whole := sum(once.values()):
            drawn.append([square / whole for square in once.values()])
    rows = []
    for index, (source, square) in enumerate(squares.items()):
        low, high = interval(np.array([shares[index] for shares in drawn], dtype=float))
        adjusted = (square - degrees[source] * noise_mean) / (total + noise_mean)
        rows.append(
            {"source": source, "df": degrees[source], "share": square / total, "share_low": low, "share_high": high,
             "adjusted": adjusted}
        )  # fmt: skip
    return rows


def _squares(values: np.ndarray, factors: Sequence[str]) -> dict[str, float]:
    """Return the sums of squares by source; together they are the whole variance times the number of accuracies."""
    size, grand = values.size, values.mean()
    frame = tuple(range(1, len(factors) + 1))

    def between(kept: Sequence[int]) -> float:
        """Sum of squares between groups that share their levels on some axes."""
        means = values.mean(axis=tuple(axis for axis in range(values.ndim) if axis not in kept))
        return float(((means - grand) ** 2).sum() * (size / means.size))

    choices, whole_frame, cells = between((0,)), between(frame), between((0, *frame))
    single = {name: between((axis,)) for axis, name in zip(frame, factors, strict=True)}
    found = {CHOICES: choices, **single}
    if len(factors) > 1:
        found[" with ".join(factors)] = whole_frame - sum(single.values())
    found[f"{CHOICES} with the frame"] = cells - choices - whole_frame
    if values.shape[-1] > 1:
        found["seeds"] = float(((values - values.mean(axis=-1, keepdims=True)) ** 2).sum())
    # Differences of sums that are equal may come out a rounding below zero.
    return {source: max(0.0, square) for source, square in found.items()}


def _degrees(shape: tuple[int, ...], factors: Sequence[str]) -> dict[str, int]:
    """Return the degrees of freedom by source, in the order of `_squares`."""
    n, levels, trainings = shape[0], shape[1:-1], shape[-1]
    frame = int(np.prod(levels)) - 1
    found = {CHOICES: n - 1, **{name: count - 1 for name, count in zip(factors, levels, strict=True)}}
    if len(factors) > 1:
        found[" with ".join(factors)] = sum(
            int(np.prod([count - 1 for count in some]))
            for size in range(2, len(levels) + 1)
            for some in combinations(levels, size)
        )
    found[f"{CHOICES} with the frame"] = (n - 1) * frame
    if trainings > 1:
        found["seeds"] = n * (frame + 1) * (trainings - 1)
    return found
