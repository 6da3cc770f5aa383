from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from evonas.data import load_data
from evonas.deployment.compression.qat import RoundedActivation, RoundedWeight, fine_tune, layers, rounding
from evonas.networks import build
from evonas.spaces import load_space


@pytest.fixture(scope="module")
def network():
    space = load_space("mobilenet_v3")
    skeleton = space.skeleton("small").replace(in_channels=1, classes=10, width=0.1, resolution=8)
    smallest, _ = space.extremes()
    return build(space, skeleton, smallest, seed=0).eval()


def test_weights_have_255_levels_in_each_channel_and_pass_gradients():
    weight = torch.randn(3, 50, generator=torch.Generator().manual_seed(0)).requires_grad_()
    rounded = RoundedWeight()(weight)
    scale = weight.detach().abs().amax(1, keepdim=True) / 127
    levels = (rounded / scale).detach()
    assert torch.allclose(levels, levels.round(), atol=1e-3)
    assert (rounded - weight).abs().max() <= scale.max() / 2 + 1e-6
    rounded.sum().backward()
    assert torch.equal(weight.grad, torch.ones_like(weight))


def test_scaling_channels_as_a_folded_norm_does_changes_no_rounding():
    weight = torch.randn(6, 9, generator=torch.Generator().manual_seed(0))
    scale = torch.tensor([0.01, 0.3, 1.0, 7.0, 500.0, 2.0])[:, None]
    assert torch.allclose(RoundedWeight()(weight * scale), RoundedWeight()(weight) * scale, rtol=1e-5)


def test_activations_are_rounded_within_what_was_seen():
    layer = nn.Linear(4, 4).train()
    hook = RoundedActivation()
    values = torch.tensor([[-1.0, 0.0, 0.4, 2.0]])
    (rounded,) = hook(layer, (values,))
    assert rounded[0, 1] == 0  # padding is exact
    assert (rounded - values).abs().max() <= 3 / 255 / 2 + 1e-6
    layer.eval()
    (clipped,) = hook(layer, (10 * values,))
    assert clipped.max() == pytest.approx(2.0, abs=0.02)


def test_gates_are_not_rounded(network):
    chosen = layers(network)
    gates = [part for name, part in network.named_modules() if ".se." in name and isinstance(part, nn.Conv2d)]
    assert gates
    assert not set(map(id, gates)) & set(map(id, chosen))
    assert len(chosen) + len(gates) == sum(isinstance(part, nn.Conv2d | nn.Linear) for part in network.modules())


def test_a_network_is_itself_again_afterwards(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    image = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        exact = network(image)
        with rounding(network):
            network.train()
            network(image)
            network.load_state_dict(before, strict=False)
            network.eval()
            rounded = network(image)
        assert not torch.equal(rounded, exact)
        assert torch.equal(network(image), exact)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert set(network.state_dict()) == set(before)


def test_fine_tuning_leaves_the_network_and_its_statistics(network):
    data = load_data("digits", limit=200, seed=0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    tuned = fine_tune(network, data, 1)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    after = tuned.state_dict()
    assert set(after) == set(before)
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert any(name.endswith("weight") for name in moved)
    assert not any("running_" in name for name in moved)
    rng = np.random.default_rng(0)  # what judges is not trained on: other images there change nothing
    other = torch.from_numpy(rng.integers(0, 16, tuple(data.search.images.shape), dtype=np.uint8))
    judged = replace(data, search=replace(data.search, images=other), report=replace(data.report, images=other))
    again = fine_tune(network, judged, 1).state_dict()
    assert all(np.array_equal(again[name], after[name]) for name in after)
