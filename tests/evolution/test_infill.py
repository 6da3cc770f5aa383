from __future__ import annotations

import numpy as np
import pytest

from evonas.evolution.infill import Estimates, _Room, choose_batch
from evonas.pareto.dominance import first_front
from evonas.pareto.indicators import hypervolume


def sure(values: np.ndarray, feasible: np.ndarray | None = None, violation: np.ndarray | None = None) -> Estimates:
    """Candidates whose values are known."""
    n = len(values)
    return Estimates(
        values,
        values,
        values[None],
        np.ones(n) if feasible is None else feasible,
        np.zeros(n) if violation is None else violation,
    )


@pytest.mark.parametrize(("m", "tolerance"), [(2, 0.05), (3, 0.25), (4, 0.4)])
def test_gains_are_the_hypervolume_that_candidates_add(m, tolerance):
    rng = np.random.default_rng(m)
    evaluated = rng.random((30, m))
    candidates = 0.6 * rng.random((20, m))
    best = evaluated[first_front(evaluated)]
    room = _Room(evaluated, candidates, best, rng)
    low = np.minimum(evaluated.min(axis=0), candidates.min(axis=0))
    high = evaluated.max(axis=0) + 0.1 * np.ptp(evaluated, axis=0)
    scaled, ref = (best - low) / (high - low), np.ones(m)
    expected = [
        hypervolume(np.vstack([scaled, (one - low) / (high - low)]), ref) - hypervolume(scaled, ref)
        for one in candidates
    ]
    found = room.gains(candidates[None])
    np.testing.assert_allclose(found, expected, atol=tolerance * max(expected))


def test_a_batch_spreads_along_the_front():
    cost = np.linspace(0, 1, 101)
    candidates = np.stack([cost, 1 - cost], axis=1)
    evaluated = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    chosen = choose_batch(sure(candidates), evaluated, evaluated[:2], 3, np.random.default_rng(0))
    # One candidate adds most in the middle, further ones halfway between what is there.
    assert candidates[chosen][0] == pytest.approx([0.5, 0.5], abs=0.05)
    assert sorted(candidates[chosen, 0]) == pytest.approx([0.25, 0.5, 0.75], abs=0.1)


def test_what_is_surely_infeasible_is_passed_over_while_others_help():
    candidates = np.array([[0.1, 0.1], [0.4, 0.4], [0.5, 0.45]])
    evaluated = np.array([[0.6, 0.6], [1.0, 1.0]])
    estimates = sure(candidates, feasible=np.array([0.0, 1.0, 1.0]))
    assert choose_batch(estimates, evaluated, evaluated[:1], 1, np.random.default_rng(0)).tolist() == [1]


def test_where_nothing_is_feasible_the_likeliest_and_least_broken_come_first():
    candidates = np.zeros((4, 2))
    estimates = sure(candidates, np.array([0.0, 0.5, 0.0, 0.0]), np.array([3.0, 9.0, 1.0, 2.0]))
    evaluated = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert choose_batch(estimates, evaluated, evaluated[:0], 3, np.random.default_rng(0)).tolist() == [1, 2, 3]


def test_all_candidates_come_where_they_are_few_and_none_helps():
    evaluated = np.array([[0.0, 0.0], [1.0, 1.0]])
    chosen = choose_batch(sure(np.full((5, 2), 2.0)), evaluated, evaluated[:1], 9, np.random.default_rng(0))
    assert sorted(chosen.tolist()) == [0, 1, 2, 3, 4]


def test_what_is_uncertain_is_worth_more_than_what_is_surely_no_better():
    mean = np.array([[0.5, 0.5], [0.5, 0.5]])
    spread = np.array([[0.0, 0.0], [0.0, 0.3]])
    samples = np.stack([mean - spread, mean, mean + spread])
    estimates = Estimates(mean, mean - spread, samples, np.ones(2), np.zeros(2))
    evaluated = np.array([[0.5, 0.5], [1.0, 1.0]])
    assert choose_batch(estimates, evaluated, evaluated[:1], 1, np.random.default_rng(0)).tolist() == [1]


def test_what_is_predicted_alike_is_taken_once_while_anything_else_helps():
    mean = np.array([[0.2, 0.3], [0.2, 0.3], [0.2, 0.3], [0.8, 0.1]])
    levels = np.array([-1.5, -0.5, 0.5, 1.5])[:, None, None] * np.array([0.0, 0.2])
    estimates = Estimates(mean, mean - [0.0, 0.2], mean + levels, np.ones(4), np.zeros(4))
    evaluated = np.array([[0.1, 0.9], [1.0, 1.0]])
    chosen = choose_batch(estimates, evaluated, evaluated[:1], 2, np.random.default_rng(0))
    assert chosen[0] < 3
    assert chosen[1] == 3
