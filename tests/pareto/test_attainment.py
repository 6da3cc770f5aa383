"""Attainment surfaces: known answers on tiny fronts, and what holds of any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.errors import SettingsError
from evonas.pareto.attainment import attainment_surface

THREE = ([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]], [[1.0, 2.0], [4.0, 1.0]], [[2.0, 3.0]])
"""Drawn on squared paper: of these the surfaces below can be read off."""


@pytest.mark.parametrize(
    ("reached", "expected"),
    [(1, [[1, 2], [3, 1]]), (2, [[1, 3], [2, 2], [4, 1]]), (3, [[2, 3]])],
)
def test_surfaces_of_three_fronts_are_those_that_can_be_read_off(reached, expected):
    assert attainment_surface(THREE, reached).tolist() == expected


def test_of_one_objective_it_is_the_value_that_so_many_reach():
    fronts = [[[3.0]], [[1.0], [5.0]], [[2.0]]]
    assert [attainment_surface(fronts, k).tolist() for k in (1, 2, 3)] == [[[1.0]], [[2.0]], [[3.0]]]


def test_three_objectives_of_two_single_points_meet_in_the_worse_of_each():
    fronts = [[[1.0, 5.0, 2.0]], [[2.0, 4.0, 2.0]]]
    assert attainment_surface(fronts, 2).tolist() == [[2.0, 5.0, 2.0]]


def test_a_front_without_points_reaches_nothing():
    fronts = [[[1.0, 1.0]], np.zeros((0, 2)), [[2.0, 0.5]]]
    assert attainment_surface(fronts, 2).tolist() == [[2.0, 1.0]]
    assert attainment_surface(fronts, 3).shape == (0, 2)


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.tuples(*[st.integers(0, 6)] * 2), min_size=1, max_size=4), min_size=2, max_size=4), st.data()
)
def test_a_point_of_a_surface_is_dominated_by_so_many_fronts_and_no_smaller_one_is(rows, data):
    fronts = [np.array(own, dtype=float) for own in rows]
    reached = data.draw(st.integers(1, len(fronts)))

    def reaching(point: np.ndarray) -> int:
        return sum(bool((front <= point).all(axis=1).any()) for front in fronts)

    surface = attainment_surface(fronts, reached)
    assert len(surface)
    every = [np.array([x, y], dtype=float) for x in range(7) for y in range(7)]
    attained = [point for point in every if reaching(point) >= reached]
    for point in attained:
        assert (surface <= point).all(axis=1).any()
    for point in surface:
        assert reaching(point) >= reached


@pytest.mark.parametrize(
    ("fronts", "reached", "said"),
    [
        ([[[1.0] * 4], [[2.0] * 4]], 1, "1 to 3 objectives, got 4"),
        (THREE, 4, "Expected 1 to 3 fronts"),
        (THREE, 0, "Expected 1 to 3 fronts"),
        ([[[1.0, 2.0]], [[1.0]]], 1, "one shape"),
        ([[[1.0, np.nan]], [[1.0, 2.0]]], 1, "finite"),
    ],
)
def test_what_has_no_surface_is_refused(fronts, reached, said):
    with pytest.raises(SettingsError, match=said):
        attainment_surface(fronts, reached)
