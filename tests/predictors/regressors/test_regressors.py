from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from evonas.predictors import REGRESSORS


@pytest.mark.parametrize("name", list(REGRESSORS))
def test_every_regressor_learns_and_knows_what_it_does_not_know(name):
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(80, 4))
    values = columns[:, 0] + 0.5 * columns[:, 1]
    values -= values.mean()
    regressor = REGRESSORS[name]()
    guesses = regressor.fit(columns[:60], values[:60])
    mean, sd = regressor.predict(columns[60:])
    assert spearmanr(mean, values[60:])[0] > 0.8
    assert spearmanr(guesses, values[:60])[0] > 0.8
    assert (sd > 0).all()


@pytest.mark.parametrize("name", ["gaussian-process", "ridge"])
def test_guesses_are_those_of_a_fit_without_the_row(name):
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(30, 3))
    values = columns[:, 0] + 0.3 * rng.normal(size=30)
    guesses = REGRESSORS[name]().fit(columns, values)
    for row in (0, 7, 29):
        rest = np.arange(30) != row
        left_out = REGRESSORS[name]()
        left_out.fit(columns[rest], values[rest])
        # Hyperparameters move a little without the row.
        assert guesses[row] == pytest.approx(left_out.predict(columns[[row]])[0][0], abs=0.08)
