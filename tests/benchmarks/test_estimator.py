from __future__ import annotations

import numpy as np
import pytest

from evonas.benchmarks.estimator import bench_estimator, out_of_fold
from evonas.errors import SettingsError
from evonas.pareto.correlation import spearman
from evonas.spaces import load_space


@pytest.fixture(scope="module")
def drawn():
    space = load_space("nasbench_macro")
    genomes = space.sample(60, np.random.default_rng(0))
    forms = list(dict.fromkeys(space.canonical(space.decode(genome)) for genome in genomes))[:40]
    return space, forms, np.array([str(form).count("2") + 0.5 * str(form).count("1") for form in forms])


def test_a_statistic_that_tells_the_truth_corrects_the_estimate(drawn):
    space, forms, truth = drawn
    noisy = truth + 2.0 * np.random.default_rng(0).normal(size=len(truth))
    predicted = out_of_fold(space, forms, truth[:, None], noisy, seed=0)
    assert spearman(predicted, truth) > max(0.8, spearman(noisy, truth))


def test_what_is_left_out_is_not_learnt_from(drawn):
    """Values that nothing foretells are not foretold."""
    space, forms, truth = drawn
    noise = np.random.default_rng(1).normal(size=len(truth))
    assert abs(spearman(out_of_fold(space, forms, np.zeros((len(truth), 1)), noise, seed=0), noise)) < 0.5


def test_failed_trainings_are_predicted_from_the_others(drawn):
    space, forms, truth = drawn
    values = truth.copy()
    values[::6] = np.nan
    predicted = out_of_fold(space, forms, np.zeros((len(truth), 0)), values, seed=0)
    assert np.isfinite(predicted).all()
    assert spearman(predicted[::6], truth[::6]) > 0


def test_few_architectures_are_an_error(drawn):
    _, forms, truth = drawn
    with pytest.raises(SettingsError, match="10 architectures or more"):
        bench_estimator(None, forms[:9], truth[:9])
