from __future__ import annotations

import numpy as np
import pytest

from evonas.errors import SettingsError
from evonas.predictors.cokriging import CoKriging, choose_fidelities


def forrester(x: np.ndarray) -> np.ndarray:
    """High fidelity of Forrester, Sobester and Keane (Proc. R. Soc. A 463, 2007), whose rho is 2."""
    return np.asarray((6 * x - 2) ** 2 * np.sin(12 * x - 4))


def smooth(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A draw of a Gaussian process with a squared exponential kernel of length 0.6."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    root = np.linalg.cholesky(np.exp(-0.5 * (distances / 0.6) ** 2) + 1e-8 * np.eye(len(points)))
    return np.asarray(root @ rng.normal(size=len(points)))


def rmse(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a - b) ** 2)))


def test_the_published_pair_is_recovered() -> None:
    low, high = np.linspace(0, 1, 11), np.array([0.0, 0.4, 0.6, 1.0])
    cheap = 0.5 * forrester(low) + 10 * (low - 0.5) - 5
    columns, levels = np.concatenate([low, high])[:, None], np.repeat([0, 1], [11, 4])
    process = CoKriging().fit(columns, levels, np.concatenate([cheap, forrester(high)]))
    assert process.rho == pytest.approx([2.0], rel=0.05)
    grid = np.linspace(0, 1, 101)[:, None]
    alone = CoKriging().fit(high[:, None], np.ones(4, dtype=int), forrester(high))
    assert rmse(process.predict(grid)[0], forrester(grid[:, 0])) < 0.1 * rmse(
        alone.predict(grid)[0], forrester(grid[:, 0])
    )


def test_a_drawn_pair_is_recovered_and_one_fidelity_alone_is_worse() -> None:
    factors, errors = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        points = rng.uniform(size=(200, 3))
        cheap = smooth(points, rng)
        best = 1.6 * cheap + 0.1 * smooth(points, rng) + 3
        columns, levels = np.concatenate([points[:60], points[:25]]), np.repeat([0, 1], [60, 25])
        values = np.concatenate([cheap[:60], best[:25]]) + rng.normal(scale=0.02, size=85)
        process = CoKriging().fit(columns, levels, values)
        alone = CoKriging().fit(points[:25], np.ones(25, dtype=int), values[60:])
        factors.append(process.rho[0])
        errors.append(
            (rmse(process.predict(points[60:])[0], best[60:]), rmse(alone.predict(points[60:])[0], best[60:]))
        )
    assert np.mean(factors) == pytest.approx(1.6, rel=0.05)
    assert all(fused < single for fused, single in errors)


@pytest.fixture(scope="module")
def three() -> tuple[CoKriging, np.ndarray]:
    """A process of three levels, named 0, 2 and 5, and points that it has not seen."""
    rng = np.random.default_rng(1)
    points = rng.uniform(size=(80, 2))
    first = smooth(points, rng)
    second = first + 0.1 * smooth(points, rng)
    third = 0.8 * second + 0.1 * smooth(points, rng) + 1
    columns, levels = np.concatenate([points[:40], points[:20], points[:10]]), np.repeat([0, 2, 5], [40, 20, 10])
    values = np.concatenate([first[:40], second[:20], third[:10]]) + rng.normal(scale=0.01, size=70)
    return CoKriging().fit(columns, levels, values), points[60:]


def test_levels_chain(three: tuple[CoKriging, np.ndarray]) -> None:
    process, _ = three
    assert process.levels == (0, 2, 5)
    assert process.rho == pytest.approx([1.0, 0.8], rel=0.2)


def test_covariances_agree_with_deviations(three: tuple[CoKriging, np.ndarray]) -> None:
    process, points = three
    for level in process.levels:
        own = process.covariance(points, level, points, level)
        np.testing.assert_allclose(np.diag(own), process.predict(points, level)[1] ** 2, atol=1e-12)
        assert np.linalg.eigvalsh(own).min() > -1e-10
    across = process.covariance(points, 0, points[:3], 5)
    np.testing.assert_allclose(across, process.covariance(points[:3], 5, points, 0).T, atol=1e-12)


def test_cost_decides_the_level(three: tuple[CoKriging, np.ndarray]) -> None:
    process, points = three
    even = choose_fidelities(process, points, np.ones((20, 3)), 4)
    assert {level for _, level in even} == {5}  # what is wanted itself tells most where it costs no more
    steep = choose_fidelities(process, points, np.tile([1.0, 1e3, 1e6], (20, 1)), 4)
    assert {level for _, level in steep} == {0}


def test_a_choice_is_made_once_and_gains_fall(three: tuple[CoKriging, np.ndarray]) -> None:
    process, points = three
    costs = np.ones((20, 3))
    costs[:, 1:] = np.inf
    costs[4] = np.inf
    chosen = choose_fidelities(process, points, costs, 50)
    assert sorted(chosen) == [(row, 0) for row in range(20) if row != 4]
    twice = choose_fidelities(process, np.repeat(points[:1], 2, axis=0), np.ones((2, 3)), 1, points)
    assert twice == [(0, 5)]  # equals keep their order


def test_the_first_choice_lowers_the_variance_most(three: tuple[CoKriging, np.ndarray]) -> None:
    process, points = three
    (row, level), *_ = choose_fidelities(process, points, np.ones((20, 3)), 1)
    left = []
    for candidate in range(20):
        for other in process.levels:
            own = process.covariance(points[[candidate]], other, points[[candidate]], other)[0, 0]
            across = process.covariance(points, 5, points[[candidate]], other)[:, 0]
            noise = process.noise[process.levels.index(other)] ** 2
            after = process.predict(points)[1] ** 2 - across**2 / (own + noise)
            left.append((after.mean(), (candidate, other)))
    assert min(left)[1] == (row, level)


def test_equal_values_and_few_values_are_learnt_from() -> None:
    process = CoKriging().fit(np.zeros((2, 1)), np.array([0, 1]), np.array([0.5, 0.5]))
    mean, sd = process.predict(np.zeros((1, 1)))
    assert mean == pytest.approx([0.5], abs=1e-3)
    assert np.isfinite(sd).all()
    with pytest.raises(SettingsError, match="two measurements or more to learn a process from, got 1"):
        CoKriging().fit(np.zeros((1, 1)), np.array([0]), np.array([0.5]))


def test_the_result_depends_on_nothing_but_the_arguments() -> None:
    rng = np.random.default_rng(0)
    points, values = rng.uniform(size=(30, 2)), rng.normal(size=30)
    levels = np.repeat([0, 1], [20, 10])
    first, second = (CoKriging().fit(points, levels, values).predict(points) for _ in range(2))
    np.testing.assert_array_equal(first, second)
