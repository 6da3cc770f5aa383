"""Integer problems of known fronts, and what pymoo's integer operators find on them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from evonas.errors import SettingsError
from evonas.evolution.integer_problems import GRID_PROBLEMS, grid_problem, integer_nsga2
from evonas.pareto.dominance import first_front


@pytest.mark.parametrize("name", GRID_PROBLEMS)
def test_the_front_is_that_of_all_grid_points(name):
    problem = grid_problem(name, 5, 4)
    everything = problem.values(np.array(list(itertools.product(range(5), repeat=4))))
    everything = np.unique(everything.round(12), axis=0)
    np.testing.assert_allclose(
        everything[first_front(everything)], np.unique(problem.front.round(12), axis=0), atol=1e-9
    )


def test_values_are_those_published_at_the_ends():
    # ZDT1: f2 = 1 - sqrt(f1) on the front; DTLZ2: the front is a sphere of radius 1.
    front = grid_problem("zdt1", 11, 6).front
    np.testing.assert_allclose(front[:, 1], 1 - np.sqrt(front[:, 0]), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(grid_problem("dtlz2", 11, 6).front, axis=1), 1.0)


def test_pymoo_searches_the_grid_and_finds_the_front_of_a_small_one():
    problem = grid_problem("zdt1", 3, 4)
    found = integer_nsga2(problem, population=20, evaluations=70, seed=0)
    assert found.shape == (70, 2)
    np.testing.assert_array_equal(found, integer_nsga2(problem, population=20, evaluations=70, seed=0))
    assert (np.abs(found[:, None] - problem.front[None]).max(axis=2).min(axis=0) < 1e-12).all()


@pytest.mark.parametrize(
    ("name", "options", "choices"), [("zdt5", 5, 5), ("zdt1", 4, 5), ("zdt1", 1, 5), ("dtlz1", 5, 3)]
)
def test_what_makes_no_grid_is_refused(name, options, choices):
    with pytest.raises(SettingsError, match="Expected"):
        grid_problem(name, options, choices)
