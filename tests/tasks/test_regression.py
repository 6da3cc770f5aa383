from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from evonas.errors import SettingsError
from evonas.tasks import Regression


@given(st.integers(2, 40), st.integers(1, 3), st.integers(0, 2**31))
def test_its_measures_are_scikit_learns(n, k, seed):
    rng = np.random.default_rng(seed)
    mean, std = rng.normal(size=k), rng.uniform(0.1, 5, k)
    outputs, targets = rng.normal(size=(n, k)), rng.normal(size=(n, k))
    task = Regression(mean.tolist(), std.tolist())
    score = task.score(task.measure(torch.from_numpy(outputs), torch.from_numpy(targets)))
    predicted = outputs * std + mean
    assert score["rmse"] == pytest.approx(root_mean_squared_error(targets, predicted))
    assert score["mae"] == pytest.approx(mean_absolute_error(targets, predicted))
    assert score["r2"] == pytest.approx(r2_score(targets, predicted))
    assert score["loss"] == pytest.approx((((predicted - targets) / std) ** 2).mean())


def test_its_loss_is_of_standardized_targets_and_its_readout_undoes_that():
    task = Regression((100.0, 0.0), (10.0, 2.0))
    outputs = torch.tensor([[1.0, 0.5], [0.0, 0.0]])
    targets = task.head.readout()(outputs)
    torch.testing.assert_close(targets, torch.tensor([[110.0, 1.0], [100.0, 0.0]]))
    assert float(task.loss(outputs, targets)) == 0
    assert float(task.loss(outputs + 1, targets)) == pytest.approx(1)
    assert task.metric(outputs + 1, targets) == pytest.approx(6)  # the mean of 10 and 2


def test_targets_that_do_not_vary_have_no_variance_to_explain():
    task = Regression()
    same = torch.ones(3, 1)
    assert task.score(task.measure(same, same))["r2"] == 1
    assert task.score(task.measure(same + 1, same))["r2"] == 0


@pytest.mark.parametrize(("mean", "std"), [((0.0,), (0.0,)), ((), ()), ((0.0, 1.0), (1.0,))])
def test_senseless_statistics_are_refused(mean, std):
    with pytest.raises(SettingsError, match="one deviation above 0"):
        Regression(mean, std)
