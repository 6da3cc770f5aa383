"""Dominance: fronts, ranks and spread of objective values.

Every function here minimizes; `minimized` alone is where directions are turned. A row that is not
finite throughout is a failed evaluation: it dominates nothing, stands on no front and ranks last.
"""

from __future__ import annotations

from collections.abc import Sequence

import moocore
import numpy as np

from evonas.errors import SettingsError

__all__ = ["choose_first", "first_front", "minimized", "ranks", "spread"]

SHORTLIST_FROM = 10_000
"""Rows from which a shortlist is worth its passes over the table: below it, moocore's sort takes a millisecond."""


def minimized(values: np.ndarray, directions: Sequence[str]) -> np.ndarray:
    """Return values in the sense that smaller is better; applied twice it gives the natural directions back.

    Args:
        values: Floats of shape (n, m), column by column in the objective's natural direction.
        directions: m times "max" or "min".

    Raises:
        SettingsError: Another direction, or another number of them than there are columns.
    """
    values = _table(values)
    unknown = [direction for direction in directions if direction not in ("max", "min")]
    if unknown or len(directions) != values.shape[1]:
        raise SettingsError(f"Expected {values.shape[1]} directions of 'max' or 'min', got {list(directions)}.")
    turned: np.ndarray = values * np.array([-1.0 if direction == "max" else 1.0 for direction in directions])
    return turned


def first_front(values: np.ndarray, violations: np.ndarray | None = None) -> np.ndarray:
    """Return the indices of the rows that no other row dominates, ascending; equal rows are all kept.

    Args:
        values: Minimized floats of shape (n, m).
        violations: Floats of shape (n, c), above 0 where a constraint is broken; only feasible rows are
            considered.

    Returns:
        Integers; none where no row is finite and feasible.
    """
    values = _table(values)
    usable = _finite(values)
    if violations is not None and np.size(violations):
        usable &= (np.asarray(violations) <= 0).all(axis=1)  # false for nan as well
    rows = np.flatnonzero(usable)
    if not rows.size:
        return rows
    rows = rows[_shortlist(values[rows])]
    front: np.ndarray = rows[moocore.is_nondominated(values[rows], keep_weakly=True)]
    return front


def ranks(values: np.ndarray) -> np.ndarray:
    """Return each row's rank in non-dominated sorting (Deb et al., 2002): 0 on the front, 1 on the front of
    the rest, ...

    Args:
        values: Minimized floats of shape (n, m).

    Returns:
        Integers of shape (n,); failed rows come one rank after the last.
    """
    values = _table(values)
    finite = _finite(values)
    found = np.zeros(len(values), dtype=np.int64)
    if finite.any():
        found[finite] = moocore.pareto_rank(values[finite])
        found[~finite] = found[finite].max() + 1
    return found


def spread(values: np.ndarray, n: int) -> np.ndarray:
    """Return indices of n numbers spread evenly over their range, both ends among them.

    Args:
        values: Finite floats of shape (k,), such as costs.
        n: How many; all where there are fewer.

    Returns:
        Integers, ascending by value: to each of n evenly spaced targets the nearest number not yet taken.
    """
    values = np.asarray(values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    if n >= len(values):
        return order
    if n < 2:
        return order[:n]
    line, taken = values[order], np.zeros(len(values), dtype=bool)
    taken[[0, -1]] = True  # ends first, so that no neighbor replaces them
    for target in np.linspace(line[0], line[-1], n)[1:-1]:
        taken[np.argmin(np.where(taken, np.inf, np.abs(line - target)))] = True
    return order[taken]


def choose_first(values: np.ndarray, n: int, cost_column: int = -1) -> np.ndarray:
    """Choose a first population: the best fronts, and of the front that does not fit whole, members spread by
    cost.

    Args:
        values: Minimized floats of shape (k, m).
        n: How many; fewer come back where fewer rows are finite.
        cost_column: The column to spread along.

    Returns:
        Indices, best front first and by ascending cost within a front; the same rows give the same choice.
    """
    values = _table(values)
    ranked, finite = ranks(values), _finite(values)
    chosen: list[np.ndarray] = []
    missing = n
    for rank in range(int(ranked[finite].max(initial=-1)) + 1):
        members = np.flatnonzero(finite & (ranked == rank))
        members = members[spread(values[members, cost_column], missing)]
        chosen.append(members)
        missing -= len(members)
        if missing <= 0:
            break
    return np.concatenate(chosen) if chosen else np.zeros(0, dtype=np.int64)


def _shortlist(values: np.ndarray) -> np.ndarray:
    """Return whether each row is as good as a few good ones in some objective; the others stand on no front.

    Comparing with a few spares sorting a million rows.
    """
    kept = np.ones(len(values), dtype=bool)
    if len(values) < SHORTLIST_FROM:
        return kept
    low, high = values.min(axis=0), values.max(axis=0)
    scaled = (values - low) / np.where(high > low, high - low, 1.0)
    for weights in (np.ones(values.shape[1]), *(1 + 9 * np.eye(values.shape[1]))):
        kept &= (values <= values[np.argmin(scaled @ weights)]).any(axis=1)
    return kept


def _table(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise SettingsError(f"Expected values of shape (n, m) with m >= 1 objectives, got shape {values.shape}.")
    return values


def _finite(values: np.ndarray) -> np.ndarray:
    finite: np.ndarray = np.isfinite(values).all(axis=1)
    return finite
