"""Indicators: how good a front, a ranking or a search is, each with its convention said.

Three conventions hold throughout.

Direction: points in objective space are minimised in every objective; scores and truths of rankings are
better when higher.

Not a number: a point with a NaN is a failed evaluation and adds nothing to an indicator; a pair of score and
truth with a NaN is left out of a correlation, so state `coverage` beside it; a correlation of fewer than two
pairs, or of a constant, is NaN, never 0. Infinite scores are ranked.

Ties: Kendall's tau is tau-b, Spearman's rho gives ties their mean rank, `precision_at` is the expectation
over a random order of tied members, and a true top holds all members that tie with its last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import moocore
import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from evonas.errors import SettingsError

__all__ = [
    "RelativeImprovement",
    "coverage",
    "hypervolume",
    "hypervolume_curve",
    "igd",
    "igd_plus",
    "kendall",
    "min_max",
    "nondominated",
    "precision_at",
    "quartiles",
    "regret",
    "relative_improvement",
    "spearman",
]


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
    return (values - low) / (high - low)


def nondominated(points: ArrayLike) -> np.ndarray:
    """Return which of the ``(n, m)`` minimised points no other dominates, shape ``(n,)``; equals count."""
    points = _points(points)
    mask = ~np.isnan(points).any(axis=1)
    if mask.any():
        mask[mask] = moocore.is_nondominated(points[mask], keep_weakly=True)
    return mask


def hypervolume(points: ArrayLike, reference_point: ArrayLike) -> float:
    """Return the volume that minimised points dominate up to a reference point.

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
        points: Shape ``(n, m)``, minimised.
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
        points: Shape ``(n, m)``, minimised. No points are infinitely far.
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


def kendall(scores: ArrayLike, truth: ArrayLike, *, top: float | None = None) -> float:
    """Return Kendall's tau-b of scores and truth.

    Args:
        scores: Shape ``(n,)``; NaN: not scored, left out.
        truth: Shape ``(n,)``, higher is better; NaN: not known, left out.
        top: Share in (0, 1]: inside the true top alone, e.g. 0.1 for the best 10 % by truth, rounded up.
    """
    return _correlation(stats.kendalltau, scores, truth, top)


def spearman(scores: ArrayLike, truth: ArrayLike, *, top: float | None = None) -> float:
    """Return Spearman's rho of scores and truth; arguments as in `kendall`."""
    return _correlation(stats.spearmanr, scores, truth, top)


def coverage(scores: ArrayLike, truth: ArrayLike) -> float:
    """Return the share of members of known truth that have a score: what a correlation is silent about."""
    given, _ = _known(scores, truth)
    return float((~np.isnan(given)).mean()) if len(given) else math.nan


def precision_at(scores: ArrayLike, truth: ArrayLike, k: int, *, top: int | None = None) -> float:
    """Return the share of the k highest scores that belong to the truly best.

    Args:
        scores: Shape ``(n,)``; members without a score are never chosen.
        truth: Shape ``(n,)``, higher is better; members of unknown truth are left out.
        k: How many are chosen, 1 to n.
        top: How many are truly best; k where None.

    Raises:
        SettingsError: k or top is not between 1 and the number of members of known truth.
    """
    given, true = _known(scores, truth)
    best = k if top is None else top
    if not (1 <= k <= len(true) and 1 <= best <= len(true)):
        raise SettingsError(f"Expected k and top between 1 and {len(true)}, got {k} and {best}.")
    chosen = np.zeros(len(given))
    scored = ~np.isnan(given)
    chosen[scored] = _membership(given[scored], min(k, int(scored.sum())))
    return float(chosen @ _membership(true, best) / k)


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
    # An estimate without a truth cannot be judged: it is a failed evaluation too.
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


@dataclass(frozen=True)
class RelativeImprovement:
    """Relative improvement over random sampling, in per cent, and how far to trust it."""

    value: float
    low: float
    high: float
    """Ends of the bootstrap interval; NaN where a side has a single run."""
    p: float
    """Two-sided p-value of the Mann-Whitney U test; NaN where a side has a single run."""
    confidence: float
    runs: tuple[int, int]
    """Runs of the method and of random sampling."""


def relative_improvement(
    method: ArrayLike,
    random: ArrayLike,
    *,
    rng: np.random.Generator | None = None,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> RelativeImprovement:
    """Return RI = 100 (mean(method) - mean(random)) / mean(random) with a percentile bootstrap interval.

    Args:
        method: One value per run of the method (accuracy in any unit, or hypervolume), higher is better.
        random: One value per randomly sampled architecture, trained in the same way; positive in the mean.
        rng: Source of the bootstrap; a fixed seed where None, so that a report repeats.
        confidence: Of the interval, in (0, 1).
        resamples: Bootstrap resamples; both sides are resampled, independently.

    Raises:
        SettingsError: A side is empty, not finite, or the random mean is not positive.

    Source: Yang, Esperança and Carlucci (ICLR 2020), equation 1.
    """
    method, random = (np.asarray(side, dtype=np.float64).ravel() for side in (method, random))
    if not (method.size and random.size and np.isfinite(method).all() and np.isfinite(random).all()):
        raise SettingsError("Expected finite values of the method and of random sampling, at least one each.")
    if random.mean() <= 0:
        raise SettingsError(f"Expected a positive mean of random sampling, got {random.mean():.6g}.")
    if not 0 < confidence < 1:
        raise SettingsError(f"Expected a confidence between 0 and 1, got {confidence}.")
    value = _improvement(method.mean(), random.mean())
    low = high = p = math.nan
    if method.size > 1 and random.size > 1:
        rng = np.random.default_rng(0) if rng is None else rng
        ours, theirs = (
            side[rng.integers(side.size, size=(resamples, side.size))].mean(axis=1) for side in (method, random)
        )
        tail = (1 - confidence) / 2
        # Without interpolation, for some resamples may be infinite.
        ends = np.quantile(_improvement(ours, theirs), [tail, 1 - tail], method="inverted_cdf")
        low, high = ends.tolist()
        p = float(stats.mannwhitneyu(method, random, alternative="two-sided").pvalue)
    return RelativeImprovement(float(value), low, high, p, confidence, (method.size, random.size))


def _improvement(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    # A resample of random sampling may be all zeros; any improvement over it is infinite.
    return np.divide(100 * (ours - theirs), theirs, out=np.full(np.shape(theirs), np.inf), where=theirs > 0)


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


def _known(scores: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and truths of the members of known truth."""
    given, true = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if given.ndim != 1 or given.shape != true.shape:
        raise SettingsError(f"Expected one score per truth, got shapes {given.shape} and {true.shape}.")
    known = ~np.isnan(true)
    return given[known], true[known]


def _correlation(coefficient: Callable[..., Any], scores: ArrayLike, truth: ArrayLike, top: float | None) -> float:
    given, true = _known(scores, truth)
    if top is not None and not 0 < top <= 1:
        raise SettingsError(f"Expected a share of the truly best in (0, 1], got {top}.")
    if top is not None and len(true):
        # 0.1 * 30 is 3.0000000000000004 in floating point: not 4 members.
        best = true >= np.sort(true)[-math.ceil(round(top * len(true), 9))]
        given, true = given[best], true[best]
    scored = ~np.isnan(given)
    given, true = given[scored], true[scored]
    if len(true) < 2 or np.all(given == given[0]) or np.all(true == true[0]):
        return math.nan
    # Ranks first: infinite scores are ordered, and products of infinities are not numbers.
    return float(coefficient(stats.rankdata(given), stats.rankdata(true)).statistic)


def _membership(values: np.ndarray, k: int) -> np.ndarray:
    """Return each value's chance to be among the k highest where ties are ordered at random."""
    if k == 0:
        return np.zeros(len(values))
    last = np.sort(values)[-k]
    above, tied = values > last, values == last
    return above + tied * ((k - above.sum()) / tied.sum())
