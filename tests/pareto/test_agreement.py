from __future__ import annotations

import numpy as np
import pytest

from evonas.pareto.agreement import measure_agreement, measure_pairs


def test_a_perfect_order_beats_chance() -> None:
    found = measure_agreement(np.arange(12.0), np.arange(12.0))
    assert found.tau == pytest.approx(1.0)
    assert (found.n, found.beats_chance) == (12, True)
    assert found.low == pytest.approx(1.0)


def test_a_weak_order_does_not_and_says_what_it_would_take() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(size=12)
    found = measure_agreement(truth + 3 * rng.normal(size=12), truth)
    assert found.tau is not None
    assert not found.beats_chance
    assert found.low <= found.tau <= found.high  # type: ignore[operator]  # both are known
    assert (found.needed is None) == (found.tau <= 0.02)
    assert found.needed is None or found.needed > 12


def test_needed_is_where_chance_is_left() -> None:
    truth = np.arange(20.0)
    signal = truth.copy()
    signal[:10] = signal[:10][::-1]
    found = measure_agreement(signal, truth)
    deviation = lambda n: (2 * (2 * n + 5) / (9 * n * (n - 1))) ** 0.5  # noqa: E731
    assert found.needed is not None
    assert found.tau > 2 * deviation(found.needed)  # type: ignore[operator]
    assert found.tau <= 2 * deviation(found.needed - 1)  # type: ignore[operator]


def test_what_is_not_known_or_does_not_vary_has_none() -> None:
    assert measure_agreement(np.full(6, np.nan), np.arange(6.0)).tau is None
    constant = measure_agreement(np.ones(6), np.arange(6.0))
    assert (constant.tau, constant.beats_chance) == (None, False)
    partly = measure_agreement(np.array([np.nan, 1, 2, 3, 4]), np.arange(5.0))
    assert (partly.tau, partly.n) == (1.0, 4)


def test_pairs_give_tau_and_its_interval() -> None:
    pairs = np.ones((8, 8))
    np.fill_diagonal(pairs, np.nan)
    found = measure_pairs(pairs)
    assert (found.tau, found.low, found.high, found.n, found.beats_chance) == (1.0, 1.0, 1.0, 8, True)
    pairs[:4, 4:] = pairs[4:, :4] = -1  # 12 of 28 pairs are right
    mixed = measure_pairs(pairs)
    assert mixed.tau == pytest.approx(-4 / 28)
    assert not mixed.beats_chance
    assert measure_pairs(np.full((3, 3), np.nan)).tau is None


def test_predictions_of_nothing_but_a_mean_look_contrary_across_folds_and_not_within_pairs() -> None:
    """What `measure_pairs` is for: a mean of what is left, compared across folds, is perfectly contrary."""
    truth = np.random.default_rng(0).normal(size=9)
    left_out = np.array([np.delete(truth, i).mean() for i in range(9)])
    assert measure_agreement(left_out, truth).tau == pytest.approx(-1)
    sign = np.zeros((9, 9))  # of one mean predicted for both of a pair
    np.fill_diagonal(sign, np.nan)
    assert measure_pairs(sign).tau == 0
