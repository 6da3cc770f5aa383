from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evonas.errors import SettingsError
from evonas.pareto.dominance import choose_first, first_front, minimized, ranks, spread

tables = hnp.arrays(
    np.float64,
    st.tuples(st.integers(0, 25), st.integers(1, 4)),
    elements=st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, np.nan, np.inf, -np.inf]),
)


def dominated(values: np.ndarray) -> np.ndarray:
    """Which rows another row dominates, by definition; failed rows neither dominate nor count as fit."""
    fit = np.isfinite(values).all(axis=1)
    better = [(values <= row).all(axis=1) & (values < row).any(axis=1) & fit for row in values]
    return np.array([not ok or any(b) for ok, b in zip(fit, better, strict=True)], dtype=bool)


def test_front_of_a_known_table():
    values = np.array([[1, 4], [2, 2], [4, 1], [3, 3], [2, 2], [1, 5]], dtype=float)
    np.testing.assert_array_equal(first_front(values), [0, 1, 2, 4])  # equal points are all kept


@given(tables)
def test_front_is_what_no_finite_row_dominates(values):
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(first_front(values), np.flatnonzero(~dominated(values)))


def test_nan_is_never_on_the_front():
    values = np.array([[np.nan, np.nan], [0.0, np.nan], [-np.inf, 0.0], [5.0, 5.0]])
    np.testing.assert_array_equal(first_front(values), [3])
    assert first_front(values[:3]).size == 0


def test_front_considers_only_what_keeps_the_constraints():
    values = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    np.testing.assert_array_equal(first_front(values, np.array([[0.1], [0.0], [-1.0]])), [1])
    np.testing.assert_array_equal(first_front(values, np.array([[np.nan], [0.0], [0.0]])), [1])
    assert first_front(values, np.ones((3, 1))).size == 0


@given(tables)
def test_ranks_peel_front_after_front(values):
    found = ranks(values)
    rest = np.flatnonzero(np.isfinite(values).all(axis=1))
    rank = 0
    while rest.size:
        peel = rest[first_front(values[rest])]
        assert (found[peel] == rank).all()
        rest = np.setdiff1d(rest, peel)
        rank += 1
    assert (found[~np.isfinite(values).all(axis=1)] == rank).all()


def test_spread_takes_both_ends_and_even_steps():
    costs = np.array([9.0, 0.0, 1.0, 2.0, 4.9, 7.6, 10.0, 5.5])
    np.testing.assert_array_equal(spread(costs, 5), [1, 3, 4, 5, 6])
    np.testing.assert_array_equal(spread(costs, 2), [1, 6])
    np.testing.assert_array_equal(spread(costs, 1), [1])
    assert spread(costs, 0).size == 0
    assert sorted(spread(costs, 20)) == list(range(8))


@given(st.lists(st.integers(0, 6), max_size=30), st.integers(0, 35))
def test_spread_gives_as_many_as_there_are(costs, n):
    found = spread(np.array(costs, dtype=float), n)
    assert len(found) == len(set(found.tolist())) == min(n, len(costs))


def test_first_choice_takes_whole_fronts_before_it_spreads():
    best = np.array([[0.0, 3.0], [1.0, 1.0], [3.0, 0.0]])
    next_best = np.array([[0.5 + i, 10.0 - i] for i in range(9)]) + 3
    values = np.concatenate([next_best, best, [[np.nan, 0.0]]])
    chosen = choose_first(values, 6, cost_column=1)
    np.testing.assert_array_equal(chosen[:3], [11, 10, 9])
    np.testing.assert_array_equal(values[chosen[3:], 1], [5.0, 9.0, 13.0])


@given(tables, st.integers(0, 30))
def test_first_choice_is_never_worse_ranked_than_what_it_leaves(values, n):
    chosen = choose_first(values, n)
    fit = np.isfinite(values).all(axis=1)
    assert len(chosen) == len(set(chosen.tolist())) == min(n, fit.sum())
    assert fit[chosen].all()
    left = np.setdiff1d(np.flatnonzero(fit), chosen)
    if chosen.size and left.size:
        assert ranks(values)[chosen].max() <= ranks(values)[left].min()
    np.testing.assert_array_equal(chosen, choose_first(values, n))


def test_minimized_turns_and_turns_back():
    values = np.array([[0.9, 10.0], [0.8, 5.0]])
    turned = minimized(values, ("max", "min"))
    np.testing.assert_array_equal(turned, [[-0.9, 10.0], [-0.8, 5.0]])
    np.testing.assert_array_equal(minimized(turned, ("max", "min")), values)


@pytest.mark.parametrize("directions", [("max",), ("max", "least"), ()])
def test_minimized_refuses_other_directions(directions):
    with pytest.raises(SettingsError, match="Expected 2 directions"):
        minimized(np.zeros((3, 2)), directions)


@pytest.mark.parametrize("shape", [(3,), (3, 0), (1, 2, 3)])
def test_values_of_another_shape_are_refused(shape):
    with pytest.raises(SettingsError, match="shape"):
        first_front(np.zeros(shape))
