"""Algorithms: who becomes a parent, and who survives.

pymoo's algorithms do both for the multi-objective ones; genomes, their variation, duplicates and failures are
`Evolution`'s. An algorithm names genomes by their number in the order told and never sees a value that is not
finite. Constraints come before objectives: a feasible genome beats an infeasible one, a smaller violation a
greater (Deb et al., 2002).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from pymoo.algorithms.base.genetic import GeneticAlgorithm
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.algorithms.moo.nsga3 import NSGA3
from pymoo.config import Config
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.selection.tournament import TournamentSelection
from pymoo.util.ref_dirs import get_reference_directions

from evonas.errors import MissingExtraError, SettingsError
from evonas.pareto.dominance import ranks

__all__ = ["Algorithm", "PymooAlgorithm", "RandomSearch", "RegularizedEvolution", "algorithms"]

Config.warnings["not_compiled"] = False  # a notice that pymoo would print


class Algorithm(Protocol):
    """Algorithm as `Evolution` needs it."""

    offspring: int
    """How many genomes to ask for at a time."""

    population: np.ndarray
    """Numbers of the genomes that may become parents; none before the first `tell`."""

    def parents(self, n: int) -> np.ndarray:
        """Return the numbers of n offspring's parents, shape (n, 1): only mutated, or (n, 2): crossed, then
        mutated.

        It is not called while the population is empty. Shape (n, 0): sampled afresh.
        """

    def tell(self, numbers: np.ndarray, values: np.ndarray, violations: np.ndarray) -> None:
        """Take results in: numbers (n,), finite values (n, m), violations (n, c) of 0 or more."""


class RandomSearch:
    """Every genome sampled afresh: the baseline that any search must beat."""

    def __init__(self, population: int) -> None:
        self.offspring = population
        self.population = np.zeros(0, dtype=np.int64)

    def parents(self, n: int) -> np.ndarray:
        """Return no parents."""
        return np.zeros((n, 0), dtype=np.int64)

    def tell(self, numbers: np.ndarray, values: np.ndarray, violations: np.ndarray) -> None:
        """Learn nothing, but keep the last genomes reported as the population."""
        self.population = np.concatenate([self.population, numbers])[-self.offspring :]


class RegularizedEvolution:
    """Aging evolution: parents win a tournament, the oldest die (Real et al., AAAI 2019), with ranks in place
    of accuracy.

    Args:
        population: How many of the youngest may become parents; a quarter of them enter each tournament, as
            in the paper, and as many are asked for at a time.
        rng: Source of randomness.
    """

    def __init__(self, population: int, rng: np.random.Generator) -> None:
        self.offspring = max(1, population // 4)
        self.population = np.zeros(0, dtype=np.int64)
        self._size, self._rng = population, rng
        self._values: np.ndarray | None = None
        self._broken = np.zeros(0)

    def parents(self, n: int) -> np.ndarray:
        """Return the winners of n tournaments; equals are decided by chance."""
        assert self._values is not None
        size = len(self.population)
        entrants = self._rng.permuted(np.tile(np.arange(size), (n, 1)), axis=1)[:, : max(2, self._size // 4)]
        rank = np.empty(size, dtype=np.int64)
        rank[np.lexsort((self._rng.random(size), ranks(self._values), self._broken))] = np.arange(size)
        winners = entrants[np.arange(n), rank[entrants].argmin(axis=1)]
        parents: np.ndarray = self.population[winners][:, None]
        return parents

    def tell(self, numbers: np.ndarray, values: np.ndarray, violations: np.ndarray) -> None:
        """Let the new in and the oldest go."""
        known = values if self._values is None else np.concatenate([self._values, values])
        self.population = np.concatenate([self.population, numbers])[-self._size :]
        self._values = known[-self._size :]
        self._broken = np.concatenate([self._broken, violations.sum(axis=1)])[-self._size :]


class PymooAlgorithm:
    """A genetic algorithm of pymoo: its tournament chooses parents, its survival the population.

    Args:
        algorithm: The algorithm, not yet set up.
        cardinalities: Number of options of each choice.
        objectives: Number of objectives.
        constraints: Number of constraints.
        rng: Source of randomness.
    """

    def __init__(
        self,
        algorithm: GeneticAlgorithm,
        *,
        cardinalities: np.ndarray,
        objectives: int,
        constraints: int,
        rng: np.random.Generator,
    ) -> None:
        self.offspring = algorithm.pop_size
        self.population = np.zeros(0, dtype=np.int64)
        self._rng = rng
        self._problem = Problem(
            n_var=len(cardinalities),
            n_obj=objectives,
            n_ieq_constr=constraints,
            xl=np.zeros(len(cardinalities)),
            xu=cardinalities - 1,
        )
        self._algorithm = algorithm.setup(self._problem, seed=rng, termination=NoTermination())

    def parents(self, n: int) -> np.ndarray:
        """Return the winners of two tournaments for each offspring."""
        pairs = self._algorithm.mating.selection(
            self._problem,
            self._algorithm.pop,
            n,
            n_parents=2,
            to_pop=False,
            algorithm=self._algorithm,
            random_state=self._rng,
        )
        parents: np.ndarray = self.population[pairs]
        return parents

    def tell(self, numbers: np.ndarray, values: np.ndarray, violations: np.ndarray) -> None:
        """Merge the new with the population and let the best survive."""
        if not len(numbers):
            return
        told = Population.new("number", numbers, "F", values, "G", violations)
        self._algorithm.advance(infills=told)
        self.population = np.array([one.get("number") for one in self._algorithm.pop], dtype=np.int64)


def _feasible_then_chance(
    pop: Population, pairs: np.ndarray, random_state: np.random.Generator, **_: Any
) -> np.ndarray:
    """NSGA-III's tournament; pymoo's own breaks the ties of the infeasible with an unseeded generator."""
    broken = pop.get("CV")[:, 0][pairs]
    second = np.where(broken[:, 0] == broken[:, 1], random_state.random(len(pairs)) < 0.5, broken[:, 1] < broken[:, 0])
    winners: np.ndarray = pairs[np.arange(len(pairs)), second.astype(int)][:, None]
    return winners


def _directions(objectives: int, population: int) -> np.ndarray:
    """Return the most evenly spaced reference directions of which there are no more than the population."""
    partitions, found = 1, np.eye(objectives)
    if objectives < 2 or population < objectives:
        raise SettingsError(
            f"Expected 2 objectives or more and no smaller population for nsga3, got {objectives} objectives"
            f" and a population of {population}: use nsga2, or a larger population."
        )
    while len(more := get_reference_directions("das-dennis", objectives, n_partitions=partitions)) <= population:
        partitions, found = partitions + 1, more
    return found


def _nsga2(population: int, objectives: int) -> GeneticAlgorithm:
    return NSGA2(pop_size=population, output=None)


def _nsga3(population: int, objectives: int) -> GeneticAlgorithm:
    selection = TournamentSelection(func_comp=_feasible_then_chance)
    directions = _directions(objectives, population)
    return NSGA3(ref_dirs=directions, pop_size=population, selection=selection, output=None)


def _agemoea(population: int, objectives: int) -> GeneticAlgorithm:
    try:
        from pymoo.algorithms.moo.age import AGEMOEA
    except Exception as error:  # pymoo raises a bare Exception where numba is missing
        raise MissingExtraError(
            "agemoea needs the package 'numba', which is not installed: run  pip install 'evonas[agemoea]'"
        ) from error
    return AGEMOEA(pop_size=population, output=None)


def _by_pymoo(make: Callable[[int, int], GeneticAlgorithm]) -> Callable[..., Algorithm]:
    def factory(
        *,
        population: int,
        cardinalities: np.ndarray,
        objectives: int,
        constraints: int,
        rng: np.random.Generator,
    ) -> Algorithm:
        return PymooAlgorithm(
            make(population, objectives),
            cardinalities=cardinalities,
            objectives=objectives,
            constraints=constraints,
            rng=rng,
        )

    return factory


algorithms: Mapping[str, Callable[..., Algorithm]] = MappingProxyType(
    {
        "agemoea": _by_pymoo(_agemoea),
        "nsga2": _by_pymoo(_nsga2),
        "nsga3": _by_pymoo(_nsga3),
        "random": lambda *, population, **_: RandomSearch(population),
        "regularized-evolution": lambda *, population, rng, **_: RegularizedEvolution(population, rng),
    }
)
"""Factories by name; each takes population, cardinalities, objectives, constraints and rng by keyword."""
