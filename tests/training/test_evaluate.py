from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from evonas.data import Dataset, Part
from evonas.errors import EvaluationError, SettingsError
from evonas.training import test_accuracy
from evonas.training.evaluate import evaluate


class Constant(nn.Module):
    """Gives every image the same logits."""

    def __init__(self, *values: float) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.tensor(values))

    def forward(self, images: Tensor) -> Tensor:
        return self.values.expand(len(images), -1)


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_known_answers_whatever_the_batch(data: Dataset, batch: int) -> None:
    part = Part(data.report.images[:10], torch.tensor([0] * 7 + [1, 2, 2]))
    found, loss = evaluate(Constant(2.0, 0.0, 0.0), part, data, batch=batch)
    total = math.log(math.exp(2) + 2)
    assert found == 0.7
    assert loss == pytest.approx(0.7 * (total - 2) + 0.3 * total)


def test_the_mode_is_kept_and_norms_are_not_touched(data: Dataset) -> None:
    network = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(64, 3))
    evaluate(network, data.report, data)
    assert network.training
    assert int(network[0].num_batches_tracked) == 0
    evaluate(network.eval(), data.report, data)
    assert not network.training


def test_outputs_that_are_not_finite_are_refused(data: Dataset) -> None:
    with pytest.raises(EvaluationError, match="finite"):
        evaluate(Constant(math.nan, 0.0, 0.0), data.report, data)


def test_an_empty_part_is_refused(data: Dataset) -> None:
    with pytest.raises(SettingsError, match="empty part"):
        evaluate(Constant(0.0, 0.0, 0.0), Part(data.report.images[:0], data.report.labels[:0]), data)


def test_the_test_part_is_what_is_read(data: Dataset) -> None:
    shares = torch.bincount(data.test.labels, minlength=3) / len(data.test)
    assert test_accuracy(Constant(0.0, 1.0, 0.0), data) == pytest.approx(float(shares[1]))
