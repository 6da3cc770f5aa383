"""The true front of costs that are sums over blocks: sums of what each block can cost, pruned as they are made."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evonas.errors import SettingsError
from evonas.evolution.integer_problems import IntegerProblem
from evonas.pareto.dominance import first_front
from evonas.spaces import Architecture, Space
from evonas.spaces.stage import StageSpace

__all__ = ["additive_front", "cost_problem"]

Costs = Callable[[Architecture], np.ndarray]
"""Minimized costs of an architecture, shape ``(m,)``, each a sum over its blocks."""


def additive_front(space: StageSpace, costs: Costs) -> np.ndarray:
    """Return the non-dominated costs of all architectures, shape ``(k, m)``, without enumerating these.

    A sum is dominated where a part of it is, so that dominated options of blocks, of stages and of the stages so far
    are left out on the way.

    Args:
        space: A space of stages at one resolution.
        costs: What is minimized; that it is a sum over blocks is taken for granted.
    """
    blocks = [[names[0] for names in stage] for stage in space.free_options]
    depths = [known[0] for known in space.free_depths]
    total = costs(space.assemble(blocks, depths))
    front = total[None]
    for s, (options, known) in enumerate(zip(space.free_options, space.free_depths, strict=True)):
        stage = []
        for depth in known:
            deep = [*depths[:s], depth, *depths[s + 1 :]]
            first = costs(space.assemble(blocks, deep))
            found = (first - total)[None]
            for b in range(depth):
                changed = [[*blocks[s][:b], name, *blocks[s][b + 1 :]] for name in options[b]]
                block = [costs(space.assemble([*blocks[:s], one, *blocks[s + 1 :]], deep)) - first for one in changed]
                found = _pruned((found[:, None] + np.array(block)[None]).reshape(-1, len(total)))
            stage.append(found)
        front = _pruned((front[:, None] + _pruned(np.concatenate(stage))[None]).reshape(-1, len(total)))
    return front


def _pruned(values: np.ndarray) -> np.ndarray:
    distinct = np.unique(values, axis=0)
    kept: np.ndarray = distinct[first_front(distinct)]
    return kept


def cost_problem(space: Space, skeleton: str) -> IntegerProblem:
    """Return the search for few multiply-adds and many parameters, whose front is known and made of trade-offs.

    Args:
        space: A space of stages at one resolution.
        skeleton: Name of the skeleton that is counted.

    Raises:
        SettingsError: Another space.
    """
    if not isinstance(space, StageSpace) or space.definition.resolutions:
        raise SettingsError(f"Expected a space of stages at one resolution, got '{space.name}'.")
    from evonas.objectives import Context
    from evonas.objectives.cost.cost import CostEvaluator

    evaluator = CostEvaluator(Context(space, space.skeleton(skeleton)))

    def costs(architecture: Architecture) -> np.ndarray:
        flops, params = evaluator.cost(architecture)
        return np.array([flops, -params], dtype=float)

    def values(genomes: np.ndarray) -> np.ndarray:
        return np.stack([costs(space.form(genome)) for genome in genomes])

    return IntegerProblem(
        f"{space.name}/{skeleton}", space.cardinalities, values, additive_front(space, costs), space.key
    )
