"""Speed at which searches find a known front: hypervolume against evaluations on a table."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evonas.benchmarks.algorithms import Algorithm
from evonas.benchmarks.algorithms import algorithms as known
from evonas.benchmarks.members import Computed, Members, Oracle, Spent, members_of
from evonas.errors import SettingsError, suggest
from evonas.pareto.curves import quartiles
from evonas.pareto.indicators import hypervolume_curve
from evonas.spaces import Space
from evonas.tables.table import Table

_STEPS = 50  # points of the anytime curve


def bench_search(
    space: Space,
    table: Table,
    objectives: str | Sequence[str],
    *,
    algorithms: Sequence[str] | Mapping[str, Algorithm] = ("random", "nsga2"),
    evaluations: Sequence[int] = (50, 100, 200, 500),
    seeds: int | Sequence[int] = 30,
    computed: Mapping[str, Computed] | None = None,
    scores: Mapping[str, ArrayLike] | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> dict[str, Any]:
    """Search the rows of a table with every algorithm and seed.

    Objectives are min-max scaled over the rows, all minimised, the reference point is (1, …, 1). Columns of
    the table are expensive, known only of members evaluated; computed objectives are cheap.

    Args:
        space: The space of the rows.
        table: Measured truth.
        objectives: Two or more, ``"NAME:max,NAME:min"`` or a list of such texts: columns or computed ones.
        algorithms: Names of `evonas.benchmarks.algorithms`, or a mapping of one's own.
        evaluations: Budgets; the hypervolume is that of all members evaluated so far. A budget above the
            number of rows means all of them.
        seeds: How many (0, 1, …), or which. A seed gives the same search whatever else is asked for.
        computed: Objectives that need no table, such as FLOPs: architectures -> values.
        scores: Training-free scores, one per row, for algorithms that start from them.
        progress: Called with algorithm and seed before each search.

    Returns:
        ``true_hypervolume``, ``reference_point``, ``results``: one ``{"algorithm", "evaluations",
        "hypervolume": [one per seed]}`` per algorithm and budget; ``anytime``: ``{"algorithm", "evaluations",
        "q25", "median", "q75"}`` per algorithm; and ``space``, ``table``, ``members``, ``true_front``,
        ``objectives``, ``seeds``, which say what was searched; ``reference_front``: the members of the true front, one
        for each value, as written and in units of their own.

    Raises:
        SettingsError: Unknown algorithms or objectives, no seeds, or budgets below one.
    """
    chosen = _algorithms(algorithms)
    seeds = range(seeds) if isinstance(seeds, int) else seeds
    budgets = sorted(set(evaluations))
    if not len(seeds) or not budgets or budgets[0] < 1:
        raise SettingsError(
            f"Expected one seed or more and budgets of one evaluation or more, got {len(seeds)} seeds and "
            f"budgets {budgets}."
        )
    members = members_of(space, table, objectives, computed=computed, scores=scores)
    largest = min(budgets[-1], len(members))
    grid = np.unique(np.linspace(1, largest, min(_STEPS, largest)).round().astype(int)).tolist()
    results, anytime = [], []
    for name, algorithm in chosen.items():
        orders = []
        for seed in seeds:
            if progress is not None:
                progress(name, seed)
            orders.append(run(members, algorithm, largest, seed))
        reached = _curves(members, orders, budgets)
        results += [
            {"algorithm": name, "evaluations": int(budget), "hypervolume": column.tolist()}
            for budget, column in zip(budgets, reached.T, strict=True)
        ]
        bands = quartiles(_curves(members, orders, grid)).tolist()
        anytime.append(
            {
                "algorithm": name,
                "evaluations": grid,
                **dict(zip(("q25", "median", "q75"), bands, strict=True)),
            }
        )
    return {
        "space": space.name,
        "table": table.source,
        "members": len(members),
        "true_front": len(front := members.front()),
        "reference_front": [
            {"architecture": str(members.architectures[row]), **dict(zip(members.objectives, values, strict=True))}
            for row, values in zip(front.tolist(), members.measured[front].tolist(), strict=True)
        ],
        "objectives": [
            {"name": name, "direction": direction, "cheap": bool(cheap)}
            for name, direction, cheap in zip(members.objectives, members.directions, members.cheap, strict=True)
        ],
        "seeds": [int(seed) for seed in seeds],
        "true_hypervolume": members.true_hypervolume,
        "reference_point": members.reference_point.tolist(),
        "results": results,
        "anytime": anytime,
    }


def run(members: Members, algorithm: Algorithm, evaluations: int, seed: int) -> list[int]:
    """Run one search and return the rows it evaluated, in order; fewer than its budget where it gave up.

    Args:
        members: The problem.
        algorithm: The search.
        evaluations: Budget.
        seed: Of everything random.
    """
    oracle = Oracle(members, evaluations)
    with contextlib.suppress(Spent):
        algorithm(oracle, np.random.default_rng(seed))
    return oracle.rows


def table_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the results of `bench_search` as rows of a CSV file, one per algorithm, budget and seed."""
    truth = results["true_hypervolume"]
    return [
        {
            "algorithm": result["algorithm"],
            "evaluations": result["evaluations"],
            "seed": seed,
            "hypervolume": value,
            "percent_of_true": 100 * value / truth,
        }
        for result in results["results"]
        for seed, value in zip(results["seeds"], result["hypervolume"], strict=True)
    ]


def _curves(members: Members, orders: Sequence[Sequence[int]], budgets: Sequence[int]) -> np.ndarray:
    """Return the hypervolume of every search after every budget, shape ``(seeds, budgets)``."""
    return np.stack(
        [
            hypervolume_curve(
                members.values[list(order)],
                members.reference_point,
                [min(budget, len(order)) for budget in budgets],
            )
            for order in orders
        ]
    )


def _algorithms(chosen: Sequence[str] | Mapping[str, Algorithm]) -> dict[str, Algorithm]:
    if isinstance(chosen, Mapping):
        return dict(chosen)
    for name in chosen:
        if name not in known:
            raise SettingsError(f"No algorithm '{name}': expected {', '.join(known)}.{suggest(name, known)}")
    if not chosen:
        raise SettingsError(f"Expected one algorithm or more, got none: name some of {', '.join(known)}.")
    return {name: known[name] for name in chosen}
