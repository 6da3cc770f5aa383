"""Choosing ensembles: forward selection and NSGA-II over subsets against all subsets."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from evonas.deployment.ensemble.candidates import read_budget
from evonas.deployment.ensemble.pool import MemberPool, classification_figures, forward_selection, subset_selection
from evonas.errors import SettingsError
from evonas.pareto.objective import parse_constraint


def random_pool(seed: int, budget: float, by: str = "nll", n: int = 9) -> MemberPool:
    """Some noisy classifiers of three classes on 60 images, the better the dearer."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, 60)
    costs = np.sort(rng.uniform(1, 4, n))
    logits = costs[:, None, None] * np.eye(3)[labels] + 1.5 * rng.standard_normal((n, 60, 3))
    probabilities = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    return MemberPool(probabilities, labels, {"flops": costs}, (parse_constraint(f"flops<={budget}"),), by)


@pytest.mark.parametrize("by", ["nll", "acc"])
@pytest.mark.parametrize("n", [5, 12])
def test_nsga2_finds_the_best_subset_and_greedy_keeps_to_the_budget(n: int, by: str) -> None:
    """All subsets of five candidates are looked at, and a part of the 4,095 of twelve."""
    pool = random_pool(0, 6.0, by, n)
    subsets = [some for k in range(1, n + 1) for some in itertools.combinations(range(n), k) if pool.fits(some)]
    best = min(map(pool.value, subsets))
    greedy = forward_selection(pool)
    found = subset_selection(pool, [greedy])
    assert pool.fits(greedy)
    assert pool.fits(found)
    assert pool.value(found) == pytest.approx(best, abs=1e-12)
    assert best <= pool.value(greedy) <= pool.value(pool.ranked()[:1])


def test_an_ensemble_that_adds_nothing_is_one_member() -> None:
    """Copies of one classifier are no better than one; the same seed gives the same answer."""
    pool = random_pool(1, 100.0)
    same = MemberPool(pool.probabilities[[3, 3, 3]], pool.labels, {"flops": np.ones(3)}, pool.bounds)
    assert forward_selection(same) == (0,)
    assert len(subset_selection(same, [])) == 1
    assert subset_selection(pool, [], seed=5) == subset_selection(pool, [], seed=5)


def test_a_pool_of_one_and_of_two() -> None:
    """The fewest candidates there can be."""
    pool = random_pool(2, 100.0)
    for n in (1, 2):
        few = MemberPool(pool.probabilities[-n:], pool.labels, {"flops": pool.costs["flops"][-n:]}, pool.bounds)
        assert set(subset_selection(few, [forward_selection(few)])) <= set(range(n))


def test_figures_of_known_answers() -> None:
    """Two images, one right: accuracy, log-likelihood and calibration error by hand."""
    figures = classification_figures(np.array([[0.8, 0.2], [0.6, 0.4]]), np.array([0, 1]))
    assert figures["accuracy"] == 0.5
    assert figures["nll"] == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)
    assert figures["ece"] == pytest.approx((0.2 + 0.6) / 2)


@pytest.mark.parametrize("text", ["acc>=0.9", "memory<=1MB", "flops>=2M", "flops<=0"])
def test_budgets_are_upper_bounds_on_sums(text: str) -> None:
    """Accuracy and peak memory are no sums over members; a bound of 0 leaves nothing."""
    with pytest.raises(SettingsError, match="Expected a budget such as"):
        read_budget([text])
    assert [str(bound) for bound in read_budget(["flops<=2M"])] == ["flops<=2e+06"]
    with pytest.raises(SettingsError, match="all members together"):
        read_budget([])
