"""Gain of operators that know which choices are ordered: searches of integer problems of known fronts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.stats import wilcoxon

from evonas.errors import SettingsError
from evonas.evolution import Evolution
from evonas.evolution.integer_problems import IntegerProblem, integer_nsga2
from evonas.pareto.dominance import first_front
from evonas.pareto.indicators import MARGIN, hypervolume, igd_plus

__all__ = ["OPERATORS", "bench_operators", "compare_operators"]

POPULATION = 40
OPERATORS = ("ordered", "reset", "pymoo-integer")
"""NSGA-II with operators that know the order; with those that do not; pymoo's, by its integer operators."""


def bench_operators(
    problems: Sequence[IntegerProblem],
    *,
    evaluations: int = 1500,
    seeds: int = 30,
    progress: Callable[[str, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Search integer problems by NSGA-II, population 40, with each of `OPERATORS`.

    Objectives are scaled by the true front: its best value is 0, its worst 1.

    Args:
        problems: Their choices are all ordered.
        evaluations: Of each search.
        seeds: How many: 0, 1, ….
        progress: Called with problem and seed before each seed.

    Returns:
        A row per problem, seed and operators: ``igd_plus``, the distance from the true front, smaller is better;
        ``percent_of_true``, the hypervolume as a share of the front's, reference point 10 % beyond its worst.

    Raises:
        SettingsError: No problems, or fewer evaluations than a population.
    """
    if not problems or evaluations < POPULATION or seeds < 1:
        raise SettingsError(
            f"Expected a problem or more, a seed or more and {POPULATION} evaluations or more, got {len(problems)}, "
            f"{seeds} and {evaluations}."
        )
    rows = []
    for problem in problems:
        low, extent = problem.front.min(axis=0), np.ptp(problem.front, axis=0)
        front = (problem.front - low) / extent
        reference = np.full(front.shape[1], 1 + MARGIN)
        truth = hypervolume(front, reference)
        for seed in range(seeds):
            if progress is not None:
                progress(problem.name, seed)
            for operators in OPERATORS:
                found = (_search(problem, operators, evaluations, seed) - low) / extent
                best = found[first_front(found)]
                rows.append(
                    {
                        "problem": problem.name,
                        "operators": operators,
                        "seed": seed,
                        "evaluations": len(found),
                        "igd_plus": igd_plus(best, front),
                        "percent_of_true": 100 * hypervolume(best, reference) / truth,
                    }
                )
    return rows


def compare_operators(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row per problem: mean distances from the front, and how sure it is that "ordered" is another.

    ``p_reset`` and ``p_pymoo`` are those of Wilcoxon's signed-rank test, two-sided, seeds paired; 1 where all pairs are
    equal.
    """
    compared = []
    for problem in dict.fromkeys(row["problem"] for row in rows):
        held = {
            operators: np.array([r["igd_plus"] for r in rows if (r["problem"], r["operators"]) == (problem, operators)])
            for operators in OPERATORS
        }
        compared.append(
            {
                "problem": problem,
                **{f"igd_plus {operators}": float(held[operators].mean()) for operators in OPERATORS},
                "p_reset": _p(held["ordered"], held["reset"]),
                "p_pymoo": _p(held["ordered"], held["pymoo-integer"]),
            }
        )
    return compared


def _p(first: np.ndarray, second: np.ndarray) -> float:
    return 1.0 if (first == second).all() else float(wilcoxon(first, second).pvalue)


def _search(problem: IntegerProblem, operators: str, evaluations: int, seed: int) -> np.ndarray:
    """Return the values evaluated, in order; fewer where the space held no more."""
    if operators == "pymoo-integer":
        return integer_nsga2(problem, population=POPULATION, evaluations=evaluations, seed=seed)
    cardinalities = problem.cardinalities
    evolution = Evolution(
        cardinalities,
        key=problem.key,
        objectives=problem.front.shape[1],
        population=POPULATION,
        seed=seed,
        sample=lambda n, rng: rng.integers(0, cardinalities, size=(n, len(cardinalities))),
        ordered=np.full(len(cardinalities), operators == "ordered"),
    )
    told: list[np.ndarray] = []
    while sum(map(len, told)) < evaluations and len(genomes := evolution.ask()):
        told.append(problem.values(genomes))
        evolution.tell(genomes, told[-1])
    return np.concatenate(told)[:evaluations]
