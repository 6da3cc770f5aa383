"""Benchmark of the ranker: a table plays the trainings, and what was not trained is to be put in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from evonas.errors import SettingsError
from evonas.pareto.correlation import kendall
from evonas.predictors.encoders import TokenColumns
from evonas.predictors.ranker import (
    FREE_SCORES,
    UNKNOWN_SHORTNESS,
    JointScore,
    Ranker,
    SignalEncoder,
    Signals,
    propose_anchors,
)
from evonas.predictors.regressors.forest import Forest
from evonas.spaces import Architecture, Space

__all__ = ["TOPS", "bench_anchors", "check_counts", "means"]

POOL = 1000
"""Candidates at most that the ranker is asked about to choose a round of anchors, drawn by seed."""
ROUND = 16
"""Anchors at most per round: after each the ranker learns from all."""
NEEDED = 10
"""Architectures that must be left over to measure on."""
TOPS = {"tau": None, "tau_top30": 0.30, "tau_top10": 0.10}

Progress = Callable[[str, int], None]


def bench_anchors(
    space: Space,
    architectures: Sequence[Architecture],
    low: np.ndarray,
    high: np.ndarray,
    *,
    counts: Sequence[int],
    scores: Mapping[str, np.ndarray],
    shared: Mapping[str, np.ndarray] | None = None,
    shortness: float = UNKNOWN_SHORTNESS,
    seeds: int | Sequence[int] = 20,
    progress: Progress = lambda what, number: None,
) -> list[dict[str, Any]]:
    """Return the rank correlation of every signal, and of the ranker, with truth on networks that are no anchors.

    Anchors of one seed are nested: those of a smaller number are among those of a larger one. They are proposed in
    rounds, as a search does (`propose_anchors`), and known by their low fidelity alone. Rows whose canonical forms are
    equal are one architecture: where one is an anchor all are left out.

    Args:
        space: Of the architectures.
        architectures: As the table writes them, shape ``(n,)``.
        low: Accuracy at low fidelity, shape ``(n,)``, NaN: not known; what anchors are known by.
        high: Accuracy at high fidelity: the truth.
        counts: Numbers of anchors.
        scores: Costs and scores that need no training, by name, more is better, NaN: not known; ``flops`` among them.
        shared: Scores of shared weights by name, likewise.
        shortness: Logarithm of how many times longer high fidelity trains than low fidelity; 0: as long.
        seeds: How many (0, 1, ...), or which.
        progress: Called with each seed before its work.

    Returns:
        One row per signal, number of anchors and seed: ``signal``, ``anchors``, ``seed``, ``n`` (networks compared),
        ``tau`` (Kendall's tau-b over all), ``tau_top30``, ``tau_top10`` (inside the true top). The signals are
        ``acc`` (the ranker), ``free``, ``forest`` (a random forest on one-hot genes, a baseline; none where there are
        no anchors), all of `scores` and of `shared`.

    Raises:
        SettingsError: More anchors than architectures allow, no numbers of anchors, or no scores.
    """
    known = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
    forms = [space.canonical(architectures[row]) for row in known.tolist()]
    keys = [str(form) for form in forms]
    distinct = np.array(sorted({key: row for row, key in reversed(list(enumerate(keys)))}.values()), dtype=np.int64)
    check_counts(counts, len(distinct))
    given = {name: np.asarray(values, dtype=np.float64)[known] for name, values in scores.items()}
    weights = {name: np.asarray(values, dtype=np.float64)[known] for name, values in (shared or {}).items()}
    joint = JointScore({name: given[name] for name in FREE_SCORES if name in given})
    encoder = SignalEncoder(space, [*given])
    free = joint(given)
    signals = encoder(forms, given, free, np.stack([*weights.values()], axis=1) if weights else None)
    bench = _Bench(encoder, signals, keys, distinct, low[known], high[known], _log_cost(given["flops"]), shortness)
    rows = []
    for seed in range(seeds) if isinstance(seeds, int) else seeds:
        progress("anchors", seed)
        for number, left, found in bench.run(sorted(set(counts)), seed):
            columns = found | {"free": free[left]} | {n: v[left] for n, v in (given | weights).items()}
            for name, column in columns.items():
                truth = bench.high[left]
                taus = {key: kendall(column, truth, top=top) for key, top in TOPS.items()}
                n = int(np.isfinite(column).sum())
                rows.append({"signal": name, "anchors": number, "seed": int(seed), "n": n, **taus})
    return rows


class _Bench:
    """Signals and truth of all architectures, and the trainings that a table plays."""

    def __init__(
        self,
        encoder: SignalEncoder,
        signals: Signals,
        keys: Sequence[str],
        distinct: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        cost: np.ndarray,
        shortness: float,
    ) -> None:
        self.encoder, self.signals, self.keys, self.distinct = encoder, signals, np.array(keys), distinct
        self.low, self.high, self.cost, self.shortness = low, high, cost, shortness

    def run(self, counts: Sequence[int], seed: int) -> list[tuple[int, np.ndarray, dict[str, np.ndarray]]]:
        """Return for each number of anchors it, the rows that are none, and what is predicted of these."""
        rng = np.random.default_rng(seed)
        anchors = np.zeros(0, dtype=np.int64)
        ranker = self._ranker(anchors, seed)
        found = []
        for number in counts:
            while len(anchors) < number:
                free = self.distinct[~np.isin(self.distinct, anchors)]
                pool = rng.permutation(free)[:POOL]
                spread = ranker.predict(self.signals[pool])[1] if ranker.learned else None
                chosen = propose_anchors(self.cost[pool], spread, min(ROUND, number - len(anchors)), rng)
                anchors = np.concatenate([anchors, pool[chosen]])
                ranker = self._ranker(anchors, seed)
            left = np.flatnonzero(~np.isin(self.keys, self.keys[anchors]))
            predicted = {"acc": ranker.predict(self.signals[left])[0]}
            if number:
                predicted["forest"] = self._forest(anchors, left, seed)
            found.append((number, left, predicted))
        return found

    def _ranker(self, anchors: np.ndarray, seed: int) -> Ranker:
        return Ranker(
            self.encoder, self.signals, self.signals[anchors], self.low[anchors], self.cost[anchors],
            shortness=self.shortness, seed=seed,
        )  # fmt: skip

    def _forest(self, anchors: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
        """Return what a random forest on one-hot genes predicts."""
        genes = TokenColumns(self.encoder.names, self.signals.described[anchors], ["genes"], statistics=False)
        forest = Forest(seed=seed)
        forest.fit(genes(self.signals.described[anchors]), self.low[anchors] - self.low[anchors].mean())
        return forest.predict(genes(self.signals.described[rows]))[0]


def _log_cost(flops: np.ndarray) -> np.ndarray:
    """Return the logarithm of FLOPs; networks whose FLOPs are not known are in the middle."""
    cost = np.log(np.maximum(flops, 1.0))
    return np.asarray(np.where(np.isfinite(cost), cost, np.median(cost[np.isfinite(cost)])))


def check_counts(counts: Sequence[int], architectures: int) -> None:
    """Refuse numbers of anchors that leave too few architectures to measure on.

    Args:
        counts: Numbers of anchors.
        architectures: Number of different ones that are known at both fidelities.

    Raises:
        SettingsError: One is negative or too large, or there are none.
    """
    if not counts or min(counts) < 0:
        raise SettingsError(f"Expected numbers of anchors of 0 or more, such as 0,16,32, got {list(counts)}.")
    if max(counts) > architectures - NEEDED:
        raise SettingsError(
            f"Expected at most {max(0, architectures - NEEDED)} anchors, for the table holds {architectures} different "
            f"architectures of both fidelities and {NEEDED} must be left over to measure on, got {max(counts)}."
        )


def means(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], dict[str, tuple[float, float]]]:
    """Return mean and standard error over the seeds by signal and number of anchors.

    Args:
        rows: What `bench_anchors` returned.
    """
    groups: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["signal"], row["anchors"]), []).append(row)
    found = {}
    for key, held in sorted(groups.items(), key=lambda item: item[0][1]):
        columns = {name: np.array([row[name] for row in held], dtype=np.float64) for name in TOPS}
        columns = {name: column[np.isfinite(column)] for name, column in columns.items()}
        found[key] = {
            name: (float(column.mean()), float(column.std(ddof=1) / len(column) ** 0.5) if len(column) > 1 else 0.0)
            if len(column)
            else (float("nan"), float("nan"))
            for name, column in columns.items()
        }
    return found
