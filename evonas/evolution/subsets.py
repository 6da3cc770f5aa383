"""Search over subsets of a few things by NSGA-II, or over all of them where these are few."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.evaluator import Evaluator
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.pntx import TwoPointCrossover
from pymoo.operators.mutation.bitflip import BitflipMutation
from pymoo.problems.static import StaticProblem

__all__ = ["search_subsets"]


def search_subsets(
    values: Callable[[np.ndarray], np.ndarray],
    excess: Callable[[np.ndarray], np.ndarray],
    first: np.ndarray,
    *,
    population: int = 32,
    generations: int = 40,
    seed: int = 0,
) -> np.ndarray:
    """Return all subsets that keep to the bounds among those that NSGA-II looked at, each once, bool, shape (e, n).

    Where there are no more subsets than it would look at, all are looked at instead.

    Args:
        values: Subsets, bool, shape (m, n) -> minimized values, shape (m, objectives); no subset is empty.
        excess: Subsets -> by how much each breaks each bound, shape (m, bounds), 0 or below where it keeps to it.
        first: Subsets to begin with, bool, shape (f, n); random ones make up the population.
        population: Subsets in a generation.
        generations: How many.
        seed: Of everything random.
    """
    n, rng = first.shape[1], np.random.default_rng(seed)
    if 2**n <= population * generations:
        masks = (np.arange(1, 2**n)[:, None] >> np.arange(n)) % 2 == 1
        return np.asarray(masks[(excess(masks) <= 0).all(1)])
    drawn = rng.random((population, n)) < rng.uniform(1 / n, 1, (population, 1))
    begin = _filled(np.unique(np.concatenate([first.astype(bool), drawn]), axis=0))
    algorithm = NSGA2(
        pop_size=population,
        sampling=begin,
        crossover=TwoPointCrossover(),
        mutation=BitflipMutation(prob=1.0, prob_var=1 / n),
        eliminate_duplicates=True,
    )
    objectives, bounds = values(begin[:1]).shape[1], excess(begin[:1]).shape[1]
    space = Problem(n_var=n, n_obj=objectives, n_ieq_constr=bounds, xl=0, xu=1, vtype=bool)
    algorithm.setup(space, seed=seed, termination=NoTermination())
    kept: list[np.ndarray] = []
    for _ in range(generations):
        asked = algorithm.ask()
        if asked is None or not len(asked):
            break
        masks = _filled(np.asarray(asked.get("X"), dtype=bool))
        asked.set("X", masks)
        over = excess(masks)
        Evaluator().eval(StaticProblem(space, F=values(masks), G=over), asked)
        algorithm.tell(infills=asked)
        kept.append(masks[(over <= 0).all(1)])
    return np.unique(np.concatenate(kept), axis=0)


def _filled(masks: np.ndarray) -> np.ndarray:
    """Return subsets of which an empty one is the first thing alone."""
    masks = masks.copy()
    masks[~masks.any(1), 0] = True
    return masks
