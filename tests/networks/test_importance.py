"""Channels sorted by importance: the whole stays as it is, slices keep what matters."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evonas.networks import build
from evonas.networks.importance import channel_importance, sort_channels
from evonas.spaces import load_space


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max() / a.abs().max())


@pytest.mark.parametrize("name", ["efficientnet_lite", "mobilenet_v3"])
def test_the_largest_path_computes_what_it_did(name, settle):
    space = load_space(name)
    skeleton = space.skeleton("small", classes=5, resolution=24)
    network = settle(build(space, skeleton, seed=3)).double()  # random weights amplify the rounding of sums
    images = torch.randn(3, 3, 24, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    under = space.under(skeleton)
    largest = under.extremes()[1]
    small = under.form(under.sample(1, np.random.default_rng(1))[0])
    with torch.no_grad():
        before, sliced = network(images, space.path(largest)), network(images, space.path(small))
        assert sort_channels(network) == sum(len(stage) for stage in network.stages) - 1
        after, sorted_ = network(images, space.path(largest)), network(images, space.path(small))
    assert relative(before, after) < 1e-5
    assert relative(sliced, sorted_) > 1e-3


def test_the_most_important_come_first(settle):
    space = load_space("efficientnet_lite")
    network = settle(build(space, space.skeleton("small", classes=5), seed=3))
    block = network.stages[2][1]["on"]
    assert not torch.equal(channel_importance(block).sort(descending=True).values, channel_importance(block))
    sort_channels(network)
    importance = channel_importance(block)
    assert torch.equal(importance.sort(descending=True).values, importance)


def test_importance_is_the_mean_activation_times_what_reads_it(settle):
    space = load_space("efficientnet_lite")
    network = settle(build(space, space.skeleton("small", classes=5), seed=3))
    block = network.stages[1][0]["on"]
    norm = block.depthwise["norm"]
    generator = torch.Generator().manual_seed(0)
    normal = torch.randn(200_000, 1, generator=generator, dtype=torch.float64)
    means = (normal * norm.weight.double() + norm.bias.double()).clamp_min(0).mean(0)
    expected = means * block.project["conv"].weight.double().abs().sum((0, 2, 3))
    assert torch.allclose(channel_importance(block), expected, rtol=0.03, atol=1e-3)
