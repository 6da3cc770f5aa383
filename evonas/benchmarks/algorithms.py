"""The searches that `bench search` compares, each as a function of an oracle and a source of randomness.

An algorithm asks `oracle.evaluate` until the oracle says that the budget is spent. With equal seeds all of
them start from the same random members, so that they differ by what they do afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from evonas.benchmarks.members import Oracle
from evonas.evolution import algorithms as evolutionary

__all__ = ["Algorithm", "algorithms", "nsga2", "random_search"]

Algorithm = Callable[[Oracle, np.random.Generator], None]

_POPULATION = 40
_ROUNDS = 30  # of variation before random members fill the offspring


def random_search(oracle: Oracle, rng: np.random.Generator) -> None:
    """Evaluate members in random order, none twice."""
    oracle.evaluate(rng.permutation(len(oracle.members)))


def nsga2(oracle: Oracle, rng: np.random.Generator) -> None:
    """Plain NSGA-II, frozen: what a better search must beat is not to move when the product's search does.

    Population 40, uniform crossover of every pair, each gene reset to another option with probability 1/n,
    pymoo's tournament and survival, no member evaluated twice. Where the table is not the whole space, a
    child that is no member becomes the nearest one not yet evaluated, by the number of genes that differ.

    Source: Deb et al. (2002), as implemented by pymoo (Blank and Deb, 2020).
    """
    members = oracle.members
    algorithm = evolutionary["nsga2"](
        population=_POPULATION,
        cardinalities=members.space.cardinalities,
        objectives=members.values.shape[1],
        constraints=0,
        rng=rng,
    )
    rows = rng.permutation(len(members))[:_POPULATION]
    while oracle.left:
        values = oracle.evaluate(rows)
        # A member's row is its number: what the algorithm calls its population are rows again.
        algorithm.tell(rows, values, np.zeros((len(rows), 0)))
        rows = _offspring(oracle, algorithm.parents, rng)


def _offspring(oracle: Oracle, choose: Callable[[int], np.ndarray], rng: np.random.Generator) -> np.ndarray:
    members = oracle.members
    children: list[int] = []
    free = ~oracle.evaluated
    for _ in range(_ROUNDS):
        missing = min(_POPULATION, int(free.sum()) + len(children)) - len(children)
        if not missing:
            break
        first, second = members.genomes[choose(missing).T]
        mixed = np.where(rng.random(first.shape) < 0.5, first, second)
        for genome in _reset(mixed, members.space.cardinalities, rng):
            row = members.row(genome)
            if row is None:
                row = members.nearest(genome, free)
            if free[row]:
                free[row] = False
                children.append(row)
    missing = min(_POPULATION - len(children), int(free.sum()))
    return np.array([*children, *rng.permutation(np.flatnonzero(free))[:missing]], dtype=np.int64)


def _reset(genomes: np.ndarray, cardinalities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    picked = (rng.random(genomes.shape) < 1 / genomes.shape[1]) & (cardinalities > 1)
    steps = rng.integers(1, np.maximum(cardinalities, 2), size=genomes.shape)
    return np.where(picked, (genomes + steps) % cardinalities, genomes)


algorithms: Mapping[str, Algorithm] = MappingProxyType({"random": random_search, "nsga2": nsga2})
"""By name."""
