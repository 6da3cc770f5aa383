from __future__ import annotations

import pytest
import torch
from torch import nn

from evonas.errors import EvaluationError, SettingsError
from evonas.proxies import Epsinas
from evonas.proxies.epsinas import epsilon


def score(network: nn.Module, images: torch.Tensor, **options: str) -> float:
    return Epsinas(**options).score(network, images, torch.Generator().manual_seed(0))


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width, bias=False)

    def forward(self, inputs):
        return inputs + torch.relu(self.linear(inputs))


def test_toy_outputs_have_the_score_computed_by_hand():
    first, second = (
        torch.tensor([1.0, 2, 3], dtype=torch.float64),
        torch.tensor([1.0, 4, 9], dtype=torch.float64),
    )
    assert epsilon(first, second) == pytest.approx(0.0625 / 0.71875, abs=1e-12) == pytest.approx(0.0869565, abs=1e-7)


def test_a_bias_free_perceptron_on_positive_images_has_zero(images):
    mlp = nn.Sequential(
        nn.Flatten(), nn.Linear(432, 8, bias=False), nn.ReLU(), Residual(8), nn.Linear(8, 3, bias=False)
    )
    assert score(mlp.double(), images.double().abs()) == pytest.approx(0, abs=1e-12)


def test_underflow_is_a_failure_with_its_cause(images):
    layers = [layer for _ in range(8) for layer in (nn.Linear(9, 9, bias=False), nn.ReLU())]
    network = nn.Sequential(nn.Flatten(), nn.Linear(432, 9, bias=False), *layers)
    with pytest.raises(EvaluationError, match="epsinas: expected outputs that tell images apart, got equal ones under"):
        score(network, images.abs(), precision="float32")
    deeper = nn.Sequential(network, *(layer for _ in range(60) for layer in (nn.Linear(9, 9, bias=False), nn.ReLU())))
    with pytest.raises(EvaluationError, match="they underflow"):
        score(deeper, images.abs())


def test_double_precision_scores_what_underflows_and_nothing_else_differently(network_of, images):
    network = network_of(3)
    assert score(network, images) == pytest.approx(score(network, images, precision="float32"), rel=1e-3)
    layers = [layer for _ in range(8) for layer in (nn.Conv2d(6, 6, 1, bias=False), nn.ReLU())]
    deep = nn.Sequential(nn.Conv2d(3, 6, 3), *layers, nn.Flatten(), nn.Linear(600, 2))
    with pytest.raises(EvaluationError, match="they underflow"):
        score(deep, images, precision="float32")
    assert score(deep, images) >= 0
    assert all(parameter.dtype == torch.float32 for parameter in deep.parameters())
    with pytest.raises(SettingsError, match="got 'half'"):
        Epsinas(precision="half")


def test_order_scale_classes_and_own_weights_do_not_matter(network_of, images):
    network = network_of(3).double()
    images = images.double()
    before = score(network, images)
    assert 0 < before < 2
    assert score(network, images.flip(0)) == pytest.approx(before)
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    assert score(network, images) == pytest.approx(before)
    network[-2] = nn.Linear(network[-2].in_features, 11).double()
    assert score(network, images) == pytest.approx(before)
    first, second = torch.rand(2, 9, generator=torch.Generator().manual_seed(3))
    assert epsilon(5 * first, second / 3) == pytest.approx(epsilon(first, second), rel=1e-5)


def test_equal_outputs_are_a_failure():
    with pytest.raises(EvaluationError, match="under the weight 1e-07"):
        epsilon(torch.zeros(4), torch.arange(4.0))
    with pytest.raises(EvaluationError, match="got none in common"):
        epsilon(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0]))
