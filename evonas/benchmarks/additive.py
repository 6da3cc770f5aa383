"""The true front of costs that are sums over blocks."""

from __future__ import annotations

import numpy as np

from evonas.evolution.integer_problems import IntegerProblem
from evonas.pareto.dominance import first_front
from evonas.spaces import Architecture, Space

__all__ = ["cost_problem"]


def cost_problem(space: Space, skeleton: str) -> IntegerProblem:
    """Return the search for few multiply-adds and many parameters, whose front is known and made of trade-offs.

    Args:
        space: A space of stages at one resolution.
        skeleton: Name of the skeleton that is counted.

    Raises:
        SettingsError: Another space.
    """
    from evonas.objectives import Context
    from evonas.objectives.cost.cost import CostEvaluator

    evaluator = CostEvaluator(Context(space, space.skeleton(skeleton)))

    def costs(architecture: Architecture) -> np.ndarray:
        flops, params = evaluator.cost(architecture)
        return np.array([flops, -params], dtype=float)

    def values(genomes: np.ndarray) -> np.ndarray:
        return np.stack([costs(space.form(genome)) for genome in genomes])

    front = space.sums(costs, _prune)
    return IntegerProblem(f"{space.name}/{skeleton}", space.cardinalities, values, front, space.key)


def _prune(values: np.ndarray) -> np.ndarray:
    distinct = np.unique(values, axis=0)
    kept: np.ndarray = distinct[first_front(distinct)]
    return kept
