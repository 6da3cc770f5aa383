from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from evonas.errors import EvaluationError, SettingsError
from evonas.proxies import Zen


def score(network: nn.Module, images: torch.Tensor, **options) -> float:
    return Zen(**options).score(network, images, torch.Generator().manual_seed(0))


def drawn(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator) for shape in shapes]


@pytest.mark.parametrize("pool", [nn.AdaptiveAvgPool2d(1), nn.AvgPool2d(12)])
def test_a_linear_network_moves_by_its_weights(images, pool):
    network = nn.Sequential(nn.Conv2d(3, 4, 1), pool, nn.Flatten(), nn.Linear(4, 2))
    weights, _, change = drawn((4 * 3 + 2 * 4,), images.shape, images.shape)
    moved = torch.einsum("oc,nchw->nohw", weights[:12].reshape(4, 3), 0.01 * change)
    expected = moved.abs().flatten(1).sum(1).mean().log().item()
    assert score(network, images) == pytest.approx(expected, rel=1e-4)


def test_scaling_of_norms_is_put_back(images):
    network = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    weights, inputs, change = drawn((12,), images.shape, images.shape)
    convolved = [
        torch.einsum("oc,nchw->nohw", weights.reshape(4, 3), batch) for batch in (inputs, inputs + 0.01 * change)
    ]
    norm = nn.BatchNorm2d(4)
    before, after = (norm(batch).detach() for batch in convolved)
    expected = (before - after).abs().flatten(1).sum(1).mean().log() + norm.running_var.mean().log() / 2
    assert score(network, images) == pytest.approx(expected.item(), rel=1e-5)


def test_only_the_shape_of_images_matters(network, images):
    assert score(network, images) == score(network, images.square() + 3)


def test_repeats_are_averaged(network, images):
    generator = torch.Generator().manual_seed(0)
    singles = [Zen().score(network, images, generator) for _ in range(3)]
    assert score(network, images, repeats=3) == pytest.approx(sum(singles) / 3)
    assert len(set(singles)) == 3
    assert all(math.isfinite(single) for single in singles)


def test_flat_or_constant_networks_are_failures(images):
    with pytest.raises(EvaluationError, match="expected a convolutional network"):
        score(nn.Sequential(nn.Flatten(), nn.Linear(432, 2)), images)
    silent = nn.Sequential(nn.Threshold(1e9, 0.0), nn.Flatten())
    with pytest.raises(EvaluationError, match="features that depend on the images"):
        score(silent, images)


def test_repeats_out_of_range_are_refused():
    with pytest.raises(SettingsError, match="expected batch >= 2 and repeats >= 1"):
        Zen(repeats=0)
