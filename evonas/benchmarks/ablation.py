"""Ablations of a protocol: what tricks, seeds, the frame and depth do to accuracies of the same architectures.

Four findings of Yang, Esperança and Carlucci (ICLR 2020, arXiv 1912.12522), each computed from a matrix of accuracies,
one row an architecture and one column a way to train it:

- `tricks`: mean and spread as steps of a recipe are added one after the other;
- `seeds` and `depth`: rank correlation between columns, also among the best tenth;
- `macro`: the share of the variance that searched choices explain, beside depth, width and skeleton.

Intervals are percentile bootstraps over architectures, 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from evonas.errors import SettingsError, suggest
from evonas.pareto.correlation import kendall
from evonas.tables.table import Table

__all__ = [
    "ABLATIONS",
    "RESAMPLES",
    "SHARE",
    "Accuracies",
    "compare_rankings",
    "compare_steps",
    "read_accuracies",
    "refuse_unknown",
]

ABLATIONS = ("tricks", "seeds", "macro", "depth")
RESAMPLES = 1000
"""Bootstrap samples behind an interval."""
TAILS = (0.025, 0.975)
SHARE = 0.1
"""Share of the best within which rankings are compared again."""
FEWEST = 3
"""Architectures that a correlation or a spread needs."""


@dataclass(frozen=True)
class Accuracies:
    """Accuracies of architectures, each obtained in several ways.

    Attributes:
        columns: Names of the ways, in order.
        values: Shape ``(n, columns)``, any unit, finite.
        architectures: Text of each row's architecture; empty where it is not known.
        dropped: Architectures left out, because one of their accuracies is not known.
    """

    columns: tuple[str, ...]
    values: np.ndarray
    architectures: tuple[str, ...] = ()
    dropped: int = 0

    @classmethod
    def complete(cls, columns: Sequence[str], values: np.ndarray, architectures: Sequence[str] = ()) -> Accuracies:
        """Keep the rows whose accuracies are all known.

        Raises:
            SettingsError: Fewer than two columns, one twice, or fewer than three complete rows.
        """
        if len(columns) < 2 or len(set(columns)) < len(columns):
            raise SettingsError(f"Expected two different columns or more, got {', '.join(columns) or 'none'}")
        known = np.isfinite(values).all(axis=1)
        if known.sum() < FEWEST:
            raise SettingsError(
                f"Expected {FEWEST} architectures or more whose accuracy is known in {', '.join(columns)}, "
                f"got {int(known.sum())}"
            )
        texts = tuple(text for text, kept in zip(architectures, known, strict=True) if kept) if architectures else ()
        return cls(tuple(columns), values[known], texts, int((~known).sum()))

    def __len__(self) -> int:
        return len(self.values)


def read_accuracies(table: Table, columns: Sequence[str]) -> Accuracies:
    """Return columns of a table, and their rows that are complete.

    Raises:
        SettingsError: No such column, fewer than two, or fewer than three complete rows.
    """
    values = np.stack([table[name] for name in columns], axis=1) if columns else np.zeros((len(table), 0))
    return Accuracies.complete(columns, values, table.texts or ())


def refuse_unknown(ablation: str) -> None:
    """Refuse an ablation that there is not.

    Raises:
        SettingsError: It is none of `ABLATIONS`.
    """
    if ablation not in ABLATIONS:
        raise SettingsError(
            f"Expected an ablation of {', '.join(ABLATIONS)}, got '{ablation}'.{suggest(ablation, ABLATIONS)}"
        )


def compare_steps(accuracies: Accuracies, *, resamples: int = RESAMPLES) -> list[dict[str, Any]]:
    """Return what each step does to the same architectures, the steps added one after the other.

    Args:
        accuracies: A column for each step, the bare recipe first; all steps before one are kept.
        resamples: Bootstrap samples behind each interval.

    Returns:
        A row for each step: ``step, n, mean, sd, lowest, highest``; ``gain`` in the mean over the step before, and
        ``tau`` with the ranking before it; each but the extremes with ``_low`` and ``_high``.
    """
    rows: list[dict[str, Any]] = []
    draws = list(_draws(len(accuracies), resamples))
    for index, step in enumerate(accuracies.columns):
        own, before = accuracies.values[:, index], accuracies.values[:, max(0, index - 1)]
        row: dict[str, Any] = {"step": step, "n": len(own)}
        row |= _measured("mean", np.mean, draws, own) | _measured("sd", _sd, draws, own)
        row |= {"lowest": float(own.min()), "highest": float(own.max())}
        first = index == 0  # nothing stands before it
        row |= _measured("gain", _missing if first else np.mean, draws, own - before)
        row |= _measured("tau", _missing if first else kendall, draws, before, own)
        rows.append(row)
    return rows


def compare_rankings(
    accuracies: Accuracies, *, share: float = SHARE, resamples: int = RESAMPLES
) -> list[dict[str, Any]]:
    """Return how far columns rank architectures alike: all of them, and the best alone.

    The best are those of the highest mean over all columns, so that no column decides alone who they are.

    Args:
        accuracies: A column for each seed, or each depth.
        share: Of the best, in (0, 1].
        resamples: Bootstrap samples behind each interval.

    Returns:
        A row for each pair and group: ``a, b, among, n``; Kendall's ``tau`` with ``tau_low`` and ``tau_high``; and
        ``difference``, the mean absolute difference in the columns' unit. A group of fewer than three has no tau.

    Raises:
        SettingsError: The share is out of range.
    """
    if not 0 < share <= 1:
        raise SettingsError(f"Expected a share of the best in (0, 1], got {share}")
    mean = accuracies.values.mean(axis=1)
    best = mean >= np.sort(mean)[-math.ceil(round(share * len(mean), 9))]
    rows = []
    for among, chosen in (("all", np.ones(len(mean), dtype=bool)), (f"best {100 * share:g} % by mean", best)):
        values = accuracies.values[chosen]
        draws = list(_draws(len(values), resamples))
        for i, j in combinations(range(len(accuracies.columns)), 2):
            row: dict[str, Any] = {"a": accuracies.columns[i], "b": accuracies.columns[j], "among": among}
            statistic = kendall if len(values) >= FEWEST else _missing
            row |= {"n": len(values)} | _measured("tau", statistic, draws, values[:, i], values[:, j])
            rows.append(row | {"difference": float(np.abs(values[:, i] - values[:, j]).mean())})
    return rows


def _draws(n: int, resamples: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    return (rng.integers(n, size=n) for _ in range(resamples))


def _measured(
    name: str, statistic: Callable[..., Any], draws: Sequence[np.ndarray], *columns: np.ndarray
) -> dict[str, float]:
    """Return a statistic of paired columns with its interval."""
    value = float(statistic(*columns))
    low = high = math.nan
    if math.isfinite(value):
        drawn = np.array([statistic(*(column[rows] for column in columns)) for rows in draws], dtype=float)
        low, high = interval(drawn)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def interval(drawn: np.ndarray) -> tuple[float, float]:
    """Return the ends of the 95 % interval of resampled values; NaN where none is known."""
    known = drawn[np.isfinite(drawn)]
    low, high = np.quantile(known, TAILS) if len(known) else (math.nan, math.nan)
    return float(low), float(high)


def _sd(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1))


def _missing(*columns: np.ndarray) -> float:
    return math.nan
