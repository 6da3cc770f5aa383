"""Figures of ablations, from their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonas.benchmarks.draw import COLORS, figure_bytes, new_figure

__all__ = ["draw_ablation"]


def draw_ablation(results: Mapping[str, Any]) -> bytes:
    """Draw an ablation as a PNG: accuracies by step, shares of variance, or rank correlations, with their intervals.

    Args:
        results: What `ablate_columns` or `ablate_trainings` returned.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure, axes = new_figure()
    rows = results["rows"]
    if results["ablation"] == "tricks":
        _steps(axes, rows, np.array(results["values"], dtype=float))
    elif results["ablation"] == "macro":
        _bars(axes, [row["source"] for row in rows], rows, "share")
        axes.set_xlabel("share of the variance")
    else:
        _bars(axes, [f"{row['a']} – {row['b']}\n{row['among']}, n = {row['n']}" for row in rows], rows, "tau")
        axes.axvline(0, color="black", lw=0.8)
        axes.set_xlabel("Kendall's tau")
    axes.set_title(f"{results['ablation']}: {results['n']:,} architectures, 95 % intervals")
    return figure_bytes(figure)


def _steps(axes: Any, rows: Sequence[Mapping[str, Any]], values: np.ndarray) -> None:
    centers = np.arange(len(rows))
    axes.plot(centers, values.T, color=COLORS[-1], lw=0.5, alpha=0.6)
    means = np.array([row["mean"] for row in rows])
    axes.errorbar(centers, means, _ends(rows, "mean", means), color=COLORS[0], marker="o", lw=2, capsize=3)
    axes.set_xticks(centers, [row["step"] for row in rows], rotation=30, ha="right")
    axes.set_ylabel("accuracy of each architecture, and mean")


def _bars(axes: Any, names: Sequence[str], rows: Sequence[Mapping[str, Any]], key: str) -> None:
    values = np.array([row[key] for row in rows], dtype=float)
    centers = np.arange(len(rows))[::-1]
    axes.barh(centers, np.nan_to_num(values), 0.6, xerr=_ends(rows, key, values), color=COLORS[0], error_kw={"lw": 0.8})
    axes.set_yticks(centers, names, fontsize="small")


def _ends(rows: Sequence[Mapping[str, Any]], key: str, values: np.ndarray) -> np.ndarray:
    """Return how far intervals reach below and above values, shape ``(2, rows)``; nothing where they are unknown."""
    ends = np.array([[row[f"{key}_low"], row[f"{key}_high"]] for row in rows], dtype=float).T
    reach: np.ndarray = np.nan_to_num(np.abs(ends - values))
    return reach
