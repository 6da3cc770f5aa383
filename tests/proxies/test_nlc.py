from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from evonas.errors import EvaluationError, SettingsError
from evonas.proxies import Nlc


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Sine(nn.Module):
    def __init__(self, frequency: float) -> None:
        super().__init__()
        self.frequency = frequency

    def forward(self, images):
        return torch.sin(self.frequency * images.flatten(1))


class Scaled(nn.Module):
    def __init__(self, inner: nn.Module, inner_scale: float, scale: float, bias: float) -> None:
        super().__init__()
        self.inner, self.inner_scale, self.scale, self.bias = inner, inner_scale, scale, bias

    def forward(self, images):
        return self.scale * self.inner(images * self.inner_scale) + self.bias


def coefficient(network: nn.Module, images: torch.Tensor, **options) -> float:
    return Nlc(**options).score(network, images, seeded())


@pytest.mark.parametrize("products", [1, 3, 100])
def test_an_affine_map_has_one(images, products):
    affine = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(400, 5))
    assert coefficient(affine, images, products=products) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("frequency", "expected"), [(1, 1.146), (3, 3.000)])
def test_sine_of_gaussian_input_has_its_closed_form(frequency, expected):
    decay = math.exp(-2 * frequency**2)
    closed = math.sqrt(frequency**2 * (1 + decay) / (1 - decay))
    assert closed == pytest.approx(expected, abs=5e-4)
    inputs = torch.randn(200_000, 1, 1, 1, generator=seeded(), dtype=torch.float64)
    assert coefficient(Sine(frequency), inputs) == pytest.approx(closed, rel=0.005)


def test_rectifiers_bend(network, images):
    assert coefficient(nn.Sequential(nn.ReLU(), nn.Flatten()), images) > 1.05


def test_scaling_and_shifting_change_nothing(images):
    plain = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(400, 5))
    before = coefficient(plain, images)
    assert coefficient(Scaled(plain, 1.0, -7.0, 0.0), images) == pytest.approx(before, rel=1e-5)
    assert coefficient(Scaled(plain, 1.0, 1.0, 3.0), images) == pytest.approx(before, rel=1e-5)
    assert coefficient(Scaled(plain, 4.0, 1.0, 0.0), images / 4) == pytest.approx(before, rel=1e-5)


def test_all_shifts_use_every_pair(images):
    tanh = nn.Sequential(nn.Flatten(), nn.Linear(432, 3), nn.Tanh()).double()
    inputs = images[:5].double()
    outputs = tanh(inputs)
    jacobians = torch.func.vmap(torch.func.jacrev(lambda x: tanh(x[None])[0]))(inputs).flatten(2)
    deviations = (inputs - inputs.mean(0)).flatten(1)
    pairs = torch.einsum("iop,jp->ijo", jacobians, deviations).square().sum(2)
    stretch = (pairs.sum() - pairs.diagonal().sum()) / 20
    spread = (outputs - outputs.mean(0)).square().sum(1).mean()
    assert coefficient(tanh, inputs, products=4) == pytest.approx((stretch / spread).sqrt().item(), rel=1e-9)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6, nn.Hardswish, nn.GELU, nn.SiLU])
def test_forward_mode_products_pass_every_activation(network_of, images, activation):
    assert coefficient(network_of(5, activation=activation), images) >= 1


def test_the_objective_is_the_distance_from_the_band():
    proxy = Nlc(band=(1.0, 3.0))
    assert proxy.direction == "min"
    assert proxy.objective(1.0) == proxy.objective(2.0) == proxy.objective(3.0) == 0
    assert proxy.objective(6.0) == pytest.approx(math.log(2)) == proxy.objective(0.5)


def test_a_constant_network_is_refused(images):
    dead = nn.Sequential(nn.Flatten(), nn.Linear(432, 3))
    nn.init.zeros_(dead[1].weight)
    with pytest.raises(EvaluationError, match="nlc: expected outputs that tell images apart"):
        coefficient(dead, images)


@pytest.mark.parametrize("options", [{"band": (0, 1)}, {"band": (3, 1)}, {"products": 0}])
def test_settings_out_of_range_are_refused(options):
    with pytest.raises(SettingsError, match="expected a band"):
        Nlc(**options)
