from __future__ import annotations

import numpy as np
import pytest

from evonas.predictors.importance import FEWEST, choice_importances

CHOICES, OPTIONS = ("kernel", "depth", "noise"), (("3", "5"), ("1", "2", "3"), ("a", "b"))


def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    genomes = np.column_stack([rng.integers(0, len(options), n) for options in OPTIONS])
    return genomes, 0.5 + 0.03 * genomes[:, 0] + 0.1 * genomes[:, 1]


def test_shares_and_effects_are_those_that_made_the_values():
    genomes, values = drawn(400)
    found, predicted = choice_importances(CHOICES, OPTIONS, genomes, values)
    assert [one.choice for one in found] == ["depth", "kernel", "noise"]
    # Variances over uniform draws: 0.1^2 * 2/3 of three levels, 0.03^2 / 4 of two.
    assert found[0].share == pytest.approx(0.00667 / (0.00667 + 0.000225), abs=0.02)
    assert found[2].share < 0.001
    assert predicted == pytest.approx(1.0, abs=0.01)
    assert (found[0].best[0], found[0].worst[0]) == ("3", "1")
    assert found[0].best[1] - found[0].worst[1] == pytest.approx(0.2, rel=0.02)
    assert sum(one.share for one in found) == pytest.approx(1.0)


def test_options_that_none_has_are_not_named():
    genomes, values = drawn(200)
    genomes[:, 1] = np.minimum(genomes[:, 1], 1)
    found, _ = choice_importances(CHOICES, OPTIONS, genomes, values)
    depth = next(one for one in found if one.choice == "depth")
    assert {depth.best[0], depth.worst[0]} <= {"1", "2"}


def test_few_architectures_or_equal_values_tell_nothing():
    genomes, values = drawn(FEWEST)
    assert choice_importances(CHOICES, OPTIONS, genomes[1:], values[1:]) == ([], 0.0)
    assert choice_importances(CHOICES, OPTIONS, genomes, np.ones(FEWEST)) == ([], 0.0)


def test_noise_has_no_important_choice_however_many_there_are():
    rng = np.random.default_rng(1)
    names, options = [f"c{i}" for i in range(40)], [("a", "b", "c")] * 40
    for n in (25, 60, 300):
        found, predicted = choice_importances(names, options, rng.integers(0, 3, (n, 40)), rng.normal(size=n))
        assert found == []
        assert predicted < 0.1
