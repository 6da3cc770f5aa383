"""Integer problems whose front is known, and pymoo's integer operators, which others are compared with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.evaluator import Evaluator
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.problems import get_problem
from pymoo.problems.static import StaticProblem

from evonas.errors import SettingsError, suggest
from evonas.pareto.dominance import first_front

__all__ = ["GRID_PROBLEMS", "IntegerProblem", "grid_problem", "integer_nsga2"]

GRID_PROBLEMS = {
    "zdt1": 0.0,
    "zdt2": 0.0,
    "zdt3": 0.0,
    "zdt4": 0.5,
    "zdt6": 0.0,
    "dtlz1": 0.5,
    "dtlz2": 0.5,
    "dtlz3": 0.5,
    "dtlz7": 0.0,
}
"""Name -> where, on the unit interval, the variables that tell of the distance to the front stand on the front."""
_DTLZ_OBJECTIVES = 3


@dataclass(frozen=True)
class IntegerProblem:
    """A problem of integer genes whose options are ordered.

    Attributes:
        name: Of the problem.
        cardinalities: Number of options of each choice, shape ``(n_choices,)``.
        values: Genomes of shape ``(n, n_choices)`` -> minimized values ``(n, m)``.
        front: Values of the true front, shape ``(k, m)``.
        key: Identity of a genome.
    """

    name: str
    cardinalities: np.ndarray
    values: Callable[[np.ndarray], np.ndarray]
    front: np.ndarray
    key: Callable[[np.ndarray], Hashable] = np.ndarray.tobytes


def grid_problem(name: str, options: int, choices: int) -> IntegerProblem:
    """Return a ZDT or DTLZ problem, two or three objectives, on a grid that holds its front.

    Args:
        name: One of `GRID_PROBLEMS`.
        options: Points of each variable's range, evenly spaced, both ends included; an odd number, so that the middle
            is a point.
        choices: Number of variables, more than there are objectives.

    Raises:
        SettingsError: Another name, or numbers that make no such grid.

    Source: Zitzler, Deb, Thiele (2000); Deb, Thiele, Laumanns, Zitzler (2002); values are pymoo's.
    """
    if name not in GRID_PROBLEMS:
        known = ", ".join(GRID_PROBLEMS)
        raise SettingsError(f"Expected a problem of {known}, got '{name}'.{suggest(name, GRID_PROBLEMS)}")
    objectives = _DTLZ_OBJECTIVES if name.startswith("dtlz") else 2
    if options < 3 or options % 2 == 0 or choices <= objectives:
        raise SettingsError(
            f"Expected an odd number of 3 options or more and more than {objectives} choices for {name}, "
            f"got {options} options and {choices} choices."
        )
    more = {"n_obj": objectives} if name.startswith("dtlz") else {}
    problem = get_problem(name, n_var=choices, **more)

    def values(genomes: np.ndarray) -> np.ndarray:
        unit = np.asarray(genomes, dtype=float) / (options - 1)
        found: np.ndarray = problem.evaluate(problem.xl + unit * (problem.xu - problem.xl))
        return found

    free = objectives - 1  # the variables that tell of the position on the front
    grid = np.array(list(itertools.product(range(options), repeat=free)))
    optimal = np.full((len(grid), choices), round(GRID_PROBLEMS[name] * (options - 1)))
    optimal[:, :free] = grid
    candidates = np.unique(values(optimal), axis=0)
    front = candidates[first_front(candidates)]
    return IntegerProblem(f"{name}/{options}", np.full(choices, options), values, front)


def integer_nsga2(problem: IntegerProblem, *, population: int, evaluations: int, seed: int) -> np.ndarray:
    """Return the values that pymoo's NSGA-II with its integer operators evaluates, in order, shape ``(e, m)``.

    Simulated binary crossover and polynomial mutation, both with an index of 3 and rounded, duplicates left out: what
    pymoo's documentation gives for integer variables.

    Args:
        problem: What is searched.
        population: Its size.
        evaluations: How many.
        seed: Of everything random.
    """
    algorithm = NSGA2(
        pop_size=population,
        sampling=IntegerRandomSampling(),
        crossover=SBX(prob=1.0, eta=3.0, vtype=float, repair=RoundingRepair()),
        mutation=PM(prob=1.0, eta=3.0, vtype=float, repair=RoundingRepair()),
        eliminate_duplicates=True,
    )
    space = Problem(
        n_var=len(problem.cardinalities),
        n_obj=problem.front.shape[1],
        xl=0,
        xu=problem.cardinalities - 1,
        vtype=int,
    )
    algorithm.setup(space, seed=seed, termination=NoTermination())
    told: list[np.ndarray] = []
    while sum(map(len, told)) < evaluations:
        asked = algorithm.ask()
        if not len(asked):
            break
        told.append(problem.values(asked.get("X")))
        Evaluator().eval(StaticProblem(space, F=told[-1]), asked)
        algorithm.tell(infills=asked)
    return np.concatenate(told)[:evaluations]
