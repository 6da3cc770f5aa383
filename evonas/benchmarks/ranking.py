"""Rank correlation with truth of supernets trained by several rules, with bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonas.pareto.correlation import kendall, precision_at

RESAMPLES = 1000
BASE = "uniform"
"""Rule that the others are compared with, seed by seed."""
TOPS = {"tau": 1.0, "top30": 0.30, "top10": 0.10}


def summarize_trials(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row per rule, budget and estimate, and one per floor.

    Args:
        results: ``truth``, ``floors`` and ``trials`` as `bench_supernet` makes them.

    Returns:
        Rows of means over seeds: ``rule, passes, estimate, seeds``; Kendall's ``tau`` over all, ``top30`` and
        ``top10`` inside the true top, each with the ends of a 95 % percentile bootstrap over seeds and
        architectures (``tau_low``, …) and, where `uniform` was trained with the same seeds, the paired
        difference to it (``tau_gain``, ``tau_gain_low``, …); ``precision10``; ``regret`` of the estimated best
        to the sample's best; and, the same for all estimates of a rule, ``accuracy`` of paths, forgetting,
        ``trace_over_d`` and seconds.
    """
    truth = np.array(results["truth"], dtype=float)
    draws = np.random.default_rng(0).multinomial(len(truth), np.full(len(truth), 1 / len(truth)), size=RESAMPLES)
    rows = []
    for name, values in results["floors"].items():
        row = {"rule": name, "passes": 0, "estimate": name, "seeds": 0}
        rows.append(row | _row([np.array(values, dtype=float)], None, truth, draws.astype(float)))
    groups: dict[tuple[str, int], dict[int, Mapping[str, Any]]] = {}
    for trial in results["trials"]:
        groups.setdefault((trial["rule"], trial["passes"]), {})[trial["seed"]] = trial
    for (rule, passes), trials in sorted(groups.items(), key=lambda item: item[0][1]):
        base = {} if rule == BASE else groups.get((BASE, passes), {})
        paired = set(trials) <= set(base)
        common = _common(list(trials.values()))
        read = [_estimates(trial) for trial in trials.values()]
        other = [_estimates(base[seed]) for seed in trials] if paired else None
        for estimate in read[0]:
            ours = [one[estimate] for one in read]
            theirs = None if other is None else [one[estimate] for one in other]
            row = {"rule": rule, "passes": passes, "estimate": estimate, "seeds": len(trials)}
            rows.append(row | _row(ours, theirs, truth, draws.astype(float)) | common)
    return rows


def _estimates(trial: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.array(values, dtype=float) for name, values in trial["estimates"].items()}


def _row(
    ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray] | None, truth: np.ndarray, draws: np.ndarray
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    # One draw of seeds and architectures for both sides: the difference is paired.
    seeds = np.random.default_rng(1).integers(len(ours), size=(len(draws), len(ours)))
    for name, top in TOPS.items():
        row[name] = float(np.mean([kendall(scores, truth, top=top) for scores in ours]))
        spread = _bootstrap(ours, truth, draws, top, seeds)
        row[f"{name}_low"], row[f"{name}_high"] = _ends(spread)
        row[f"{name}_sd"] = _sd([kendall(scores, truth, top=top) for scores in ours])
        if theirs is not None:
            row[f"{name}_gain"] = row[name] - float(np.mean([kendall(scores, truth, top=top) for scores in theirs]))
            row[f"{name}_gain_low"], row[f"{name}_gain_high"] = _ends(
                spread - _bootstrap(theirs, truth, draws, top, seeds)
            )
    row["precision10"] = float(np.mean([precision_at(scores, truth, min(10, len(truth))) for scores in ours]))
    best = [truth[int(np.nanargmax(scores))] for scores in ours]
    row["regret"] = float(truth.max() - np.mean(best))
    return row


def _bootstrap(
    scores: Sequence[np.ndarray], truth: np.ndarray, draws: np.ndarray, top: float, seeds: np.ndarray
) -> np.ndarray:
    """Return the mean tau over drawn seeds for every resample of architectures."""
    inside = np.flatnonzero(truth >= np.sort(truth)[-math.ceil(round(top * len(truth), 9))])
    taus = np.stack([weighted_kendall(one[inside], truth[inside], draws[:, inside]) for one in scores])
    means: np.ndarray = taus[seeds.T, np.arange(len(draws))].mean(axis=0)
    return means


def weighted_kendall(scores: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Kendall's tau-b of samples in which members occur several times.

    Args:
        scores: Shape ``(n,)``.
        truth: Shape ``(n,)``.
        weights: How often each member occurs in each sample, shape ``(samples, n)``.

    Returns:
        Shape ``(samples,)``; NaN where a side is constant.
    """
    ours, theirs = (np.sign(side[:, None] - side[None, :]) for side in (scores, truth))
    sums = [((weights @ matrix) * weights).sum(axis=1) for matrix in (ours * theirs, ours**2, theirs**2)]
    with np.errstate(divide="ignore", invalid="ignore"):
        tau: np.ndarray = sums[0] / np.sqrt(sums[1] * sums[2])
    return tau


def _ends(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return math.nan, math.nan
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)


def _sd(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def _common(trials: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return means over seeds of what does not depend on the estimate."""
    names = ("accuracy", "trace_over_d", "train_seconds", "read_seconds")
    common = {name: float(np.mean([trial[name] for trial in trials])) for name in names}
    for name in trials[0]["forgetting"]:
        common[f"forgetting_{name}"] = float(np.mean([trial["forgetting"][name] for trial in trials]))
    return common
