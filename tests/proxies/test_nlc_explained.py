from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from evonas.errors import EvaluationError, SettingsError
from evonas.networks import build
from evonas.proxies.activation_nlc import activation_nlc
from evonas.proxies.activation_paths import read_activations
from evonas.proxies.initialize import reinitialize
from evonas.proxies.nlc import nonlinearity
from evonas.proxies.nlc_explained import explain_nlc, explain_nlc_choices
from evonas.proxies.nlc_profile import NlcProfile
from evonas.spaces import load_space

RELU = math.sqrt((1 / 2) / (1 / 2 - 1 / (2 * math.pi)))


class Sine(nn.Tanh):
    """Counts as an activation, since its class is one."""

    def __init__(self, frequency: float) -> None:
        super().__init__()
        self.frequency = frequency

    def forward(self, x):
        return torch.sin(self.frequency * x)


class Residual(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.body(x)


class Shifted(nn.ReLU):
    def forward(self, x):
        return torch.relu(x - 1)


def noise(n: int = 24) -> torch.Tensor:
    return torch.randn(n, 3, 6, 6, generator=torch.Generator().manual_seed(0))


def test_activations_under_a_unit_gaussian_have_their_closed_forms():
    assert activation_nlc(nn.ReLU()) == pytest.approx(RELU, abs=1e-9)
    assert pytest.approx(1.2112, abs=5e-5) == RELU
    for frequency in (1, 3):
        decay = math.exp(-2 * frequency**2)
        closed = math.sqrt(frequency**2 * (1 + decay) / (1 - decay))
        assert activation_nlc(Sine(frequency)) == pytest.approx(closed, abs=1e-9)
    slope = 0.2  # of a leaky one: E f'^2 = (1 + a^2) / 2, E f = (1 - a) / sqrt(2 pi)
    second, mean = (1 + slope**2) / 2, (1 - slope) / math.sqrt(2 * math.pi)
    assert activation_nlc(nn.LeakyReLU(slope)) == pytest.approx(math.sqrt(second / (second - mean**2)), abs=1e-9)
    assert activation_nlc(nn.LeakyReLU(1.0)) == pytest.approx(1, abs=1e-12)


def test_other_means_and_spreads_are_those_of_the_channels():
    mean, sd = torch.tensor([1.0]), torch.tensor([1.0])
    assert activation_nlc(nn.ReLU(), -mean, sd) == pytest.approx(activation_nlc(Shifted()), rel=1e-6)
    # Wide inputs of a sine are narrow ones of a faster sine; two equal channels are like one.
    assert activation_nlc(Sine(1), 0 * mean, 3 * sd) == pytest.approx(activation_nlc(Sine(3)), rel=1e-9)
    twice = activation_nlc(nn.Tanh(), torch.tensor([0.5, 0.5]), torch.tensor([2.0, 2.0]))
    assert twice == pytest.approx(activation_nlc(nn.Tanh(), 0.5 * mean, 2 * sd), rel=1e-12)
    with pytest.raises(EvaluationError, match="constant there"):
        activation_nlc(nn.ReLU(), -30 * mean, sd)


def test_a_linear_network_is_one_everywhere():
    linear = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 5, 1), nn.Flatten(), nn.Linear(80, 5))
    profile = explain_nlc(lambda: linear, noise(), repeats=2)
    assert [one.nlc for one in profile.stages] == pytest.approx([1] * len(profile.stages), abs=1e-4)
    assert {(one.product, one.depth) for one in profile.stages} == {(1, 0)}
    assert profile.activations == ()
    assert profile.most_bent is None


def chain(*activations: nn.Module) -> nn.Module:
    layers = [nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)]
    for activation in activations:
        layers += [activation, nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(216, 10))


def test_a_planted_saturating_activation_is_the_one_named():
    planted = chain(nn.ReLU(), nn.Tanh(), nn.ReLU(inplace=True))
    assert isinstance(planted[5], nn.Tanh)
    planted[5] = nn.Sequential(nn.Hardtanh(-0.05, 0.05))
    profile = explain_nlc(lambda: planted, noise(), repeats=2)
    assert profile.most_bent is not None
    assert (profile.most_bent.name, profile.most_bent.kind) == ("5.0", "Hardtanh")
    assert profile.most_bent.here > 2
    by_stage = {one.stage: one.nlc for one in profile.stages}
    assert by_stage["5"] / by_stage["4"] > 1.5 * by_stage["2"] / by_stage["1"]


def test_the_product_is_that_of_the_most_nonlinear_path():
    branch = Residual(nn.Conv2d(3, 3, 1), nn.ReLU(inplace=True), nn.Conv2d(3, 3, 1), nn.ReLU())
    branched = nn.Sequential(nn.ReLU(), branch, nn.Conv2d(3, 2, 1), nn.Flatten())
    found = read_activations(branched, noise())
    assert [one.name for one in found.found] == ["0", "1.body.1", "1.body.3"]
    assert found.products[""] == pytest.approx(RELU**3)
    assert (found.depths["0"], found.depths["1"], found.depths[""]) == (1, 3, 3)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in branched.modules())


def test_the_whole_networks_coefficient_is_the_proxys(images):
    network = chain(nn.ReLU(), nn.SiLU()).eval()
    profile = explain_nlc(lambda: network, images[:, :, :6, :6], repeats=3)
    logs = []
    for seed in range(3):
        reinitialize(network, torch.Generator().manual_seed(seed))
        logs.append(math.log(nonlinearity(network, images[:, :, :6, :6], 8)))
    assert profile.nlc == pytest.approx(math.exp(np.mean(logs)))
    half = 4.303 * np.std(logs, ddof=1) / math.sqrt(3)
    assert (profile.low, profile.high) == pytest.approx((profile.nlc * math.exp(-half), profile.nlc * math.exp(half)))
    assert NlcProfile.from_json(profile.to_json()) == profile
    alone = explain_nlc(lambda: network, images[:, :, :6, :6], repeats=1)
    assert math.isnan(alone.low)
    assert math.isnan(NlcProfile.from_json(alone.to_json()).low)
    with pytest.raises(SettingsError, match="one initialization or more"):
        explain_nlc(lambda: network, images, repeats=0)


def test_choices_that_change_the_coefficient_are_ordered_by_how_much():
    space = load_space("nasbench201")
    skip = "|skip_connect~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|"
    base = space.parse(skip)
    changes, considered, failed = explain_nlc_choices(
        space, base, lambda one: [1 + 0.1 * str(one).count("conv_3x3") - 0.05 * str(one).count("avg_pool")], most=100
    )
    assert considered == len(changes) > 5
    assert failed == 0

    def unless_pooled(one):
        if "avg_pool" in str(one):
            raise EvaluationError("no path leads to its outputs")
        return [1.0]

    some, considered_again, failed = explain_nlc_choices(space, base, unless_pooled, most=100)
    assert (considered_again, len(some) + failed) == (considered, considered)
    assert failed == sum(one.after == "avg_pool_3x3" for one in changes) > 0
    assert [one.factor for one in changes] == sorted((one.factor for one in changes), reverse=True)
    assert (changes[0].after, changes[-1].after) == ("nor_conv_3x3", "avg_pool_3x3")
    assert changes[0].factor == pytest.approx(1.1)
    few, considered_again, _ = explain_nlc_choices(space, base, lambda one: [1.0], most=4)
    assert (len(few), considered_again) == (4, considered)


@pytest.mark.parametrize("name", ["darts", "mobilenet_v3"])
def test_stages_of_a_spaces_networks_are_found_in_order(name):
    space = load_space(name)
    sizes = {"channels": 4, "cells": 3} if name == "darts" else {"width": 0.1}
    skeleton = space.skeleton("small", resolution=8, in_channels=1, classes=10, **sizes)
    form = space.canonical(space.decode(space.sample(1, np.random.default_rng(1))[0]))
    images = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    profile = explain_nlc(lambda: build(space, skeleton, form), images, repeats=1, products=1)
    names = [one.stage for one in profile.stages]
    inner = [f"cells.{i}" for i in range(3)] if name == "darts" else [f"stages.{i}" for i in range(6)] + ["features"]
    assert names == ["stem", *inner, "pool", "whole network"]
    depths = [one.depth for one in profile.stages]
    assert depths == sorted(depths)
    assert all(one.stage in (*names, "classifier") for one in profile.activations)
