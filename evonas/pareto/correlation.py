"""Indicators of a ranking: how well scores order what is truly better, each with its convention stated.

Scores and truths are better when higher. A pair of score and truth with a NaN is left out of a correlation, so state
`coverage` beside it; a correlation of fewer than two pairs, or of a constant, is NaN, never 0. Infinite scores are
ranked.

Ties: Kendall's tau is tau-b, Spearman's rho gives ties their mean rank, `precision_at` is the expectation
over a random order of tied members, and a true top holds all members that tie with its last.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evonas.errors import SettingsError

__all__ = ["coverage", "kendall", "precision_at", "spearman"]


def kendall(scores: ArrayLike, truth: ArrayLike, *, top: float | None = None) -> float:
    """Return Kendall's tau-b of scores and truth.

    Args:
        scores: Shape ``(n,)``; NaN: not scored, left out.
        truth: Shape ``(n,)``, higher is better; NaN: not known, left out.
        top: Share in (0, 1]: inside the true top alone, e.g. 0.1 for the best 10 % by truth, rounded up.
    """
    from scipy.stats import kendalltau  # half a second that reading a front does not need

    return _correlation(kendalltau, scores, truth, top)


def spearman(scores: ArrayLike, truth: ArrayLike, *, top: float | None = None) -> float:
    """Return Spearman's rho of scores and truth; arguments as in `kendall`."""
    from scipy.stats import spearmanr

    return _correlation(spearmanr, scores, truth, top)


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


def _known(scores: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and truths of the members of known truth."""
    given, true = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if given.ndim != 1 or given.shape != true.shape:
        raise SettingsError(f"Expected one score per truth, got shapes {given.shape} and {true.shape}.")
    known = ~np.isnan(true)
    return given[known], true[known]


def _correlation(coefficient: Callable[..., Any], scores: ArrayLike, truth: ArrayLike, top: float | None) -> float:
    from scipy.stats import rankdata

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
    return float(coefficient(rankdata(given), rankdata(true)).statistic)


def _membership(values: np.ndarray, k: int) -> np.ndarray:
    """Return each value's chance to be among the k highest where ties are ordered at random."""
    if k == 0:
        return np.zeros(len(values))
    last = np.sort(values)[-k]
    above, tied = values > last, values == last
    chance: np.ndarray = above + tied * ((k - above.sum()) / tied.sum())
    return chance
