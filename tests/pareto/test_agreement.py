from __future__ import annotations

import numpy as np
import pytest

from evonas.pareto.agreement import measure_agreement


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
