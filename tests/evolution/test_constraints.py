"""Constrained problems of the literature whose optimum is known in closed form, on grids."""

from __future__ import annotations

import itertools

import moocore
import numpy as np
import pytest

from evonas.evolution import Evolution
from evonas.evolution.surrogate import SurrogateEvolution
from evonas.predictors import TokenEncoder

SIDE = 31


def grid(genomes: np.ndarray, high: tuple[float, float], low: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    return np.array(low) + genomes / (SIDE - 1) * (np.array(high) - np.array(low))


class BinhKorn:
    """Binh and Korn (1997): the front is x1 = x2 up to (3, 3), then x2 = 3."""

    reference = (140.0, 50.0)

    def values(self, genomes: np.ndarray) -> np.ndarray:
        x = grid(genomes, (5.0, 3.0))
        return np.stack([4 * (x**2).sum(axis=1), ((x - 5) ** 2).sum(axis=1)], axis=1)

    def violations(self, genomes: np.ndarray) -> np.ndarray:
        x, y = grid(genomes, (5.0, 3.0)).T
        return np.stack([((x - 5) ** 2 + y**2) / 25 - 1, 1 - ((x - 8) ** 2 + (y + 3) ** 2) / 7.7], axis=1)

    def front(self) -> np.ndarray:
        t = np.concatenate([np.linspace(0, 3, 4000), np.linspace(3, 5, 4000)])
        x = np.stack([t, np.minimum(t, 3.0)], axis=1)
        return np.stack([4 * (x**2).sum(axis=1), ((x - 5) ** 2).sum(axis=1)], axis=1)


class ConstrEx:
    """Deb's Constr-Ex (2001): x in [0.1, 1], y in [0, 5]; constraints cut a part of the front 1/x off."""

    reference = (1.1, 10.0)

    def values(self, genomes: np.ndarray) -> np.ndarray:
        x, y = grid(genomes, (1.0, 5.0), (0.1, 0.0)).T
        return np.stack([x, (1 + y) / x], axis=1)

    def violations(self, genomes: np.ndarray) -> np.ndarray:
        x, y = grid(genomes, (1.0, 5.0), (0.1, 0.0)).T
        return np.stack([6 - (y + 9 * x), 1 + y - 9 * x], axis=1)

    def front(self) -> np.ndarray:
        x = np.linspace(7 / 18, 1, 8000)  # left of it both constraints leave nothing
        return np.stack([x, (1 + np.maximum(6 - 9 * x, 0)) / x], axis=1)


def search(problem, evolution, budget: int) -> tuple[np.ndarray, np.ndarray]:
    told = 0
    while told < budget:
        genomes = evolution.ask()
        evolution.tell(genomes, problem.values(genomes), problem.violations(genomes))
        told += len(genomes)
    return evolution.front()


def options(seed: int) -> dict:
    return dict(
        key=lambda genome: genome.tobytes(), objectives=2, constraints=2, population=24, seed=seed,
        sample=lambda n, rng: rng.integers(0, SIDE, (n, 2)),
    )  # fmt: skip


@pytest.mark.parametrize("problem", [BinhKorn(), ConstrEx()])
def test_the_known_front_is_that_of_enumeration(problem):
    space = np.array(list(itertools.product(range(SIDE), repeat=2)))
    feasible = space[(problem.violations(space) <= 0).all(axis=1)]
    found, truth = (moocore.hypervolume(v, ref=problem.reference) for v in (problem.values(feasible), problem.front()))
    assert 0.96 * truth < found <= truth * (1 + 1e-4)


@pytest.mark.parametrize("problem", [BinhKorn(), ConstrEx()])
@pytest.mark.parametrize("algorithm", ["nsga2", "nsga3", "regularized-evolution"])
def test_algorithms_reach_the_known_front_within_constraints(problem, algorithm):
    evolution = Evolution(np.array([SIDE, SIDE]), algorithm=algorithm, **options(0))
    genomes, values = search(problem, evolution, 480)
    assert (problem.violations(genomes) <= 0).all()
    truth = moocore.hypervolume(problem.front(), ref=problem.reference)
    assert moocore.hypervolume(values, ref=problem.reference) > 0.94 * truth


@pytest.mark.parametrize("problem", [BinhKorn(), ConstrEx()])
def test_predictors_reach_it_in_fewer_evaluations(problem):
    def dear(genomes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full((len(genomes), 2), np.nan), np.full((len(genomes), 2), np.nan)

    def place(genomes: np.ndarray) -> np.ndarray:
        return 1.0 + genomes

    key = options(0)["key"]
    evolution = SurrogateEvolution(
        np.array([SIDE, SIDE]), encoder=TokenEncoder(lambda genome: {}, place, key), cheap=dear, batch=8, **options(0)
    )
    genomes, values = search(problem, evolution, 100)
    assert (problem.violations(genomes) <= 0).all()
    truth = moocore.hypervolume(problem.front(), ref=problem.reference)
    assert moocore.hypervolume(values, ref=problem.reference) > 0.9 * truth
