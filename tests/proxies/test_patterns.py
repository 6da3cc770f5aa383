from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from evonas.errors import EvaluationError
from evonas.proxies import count_patterns, naive_patterns
from evonas.proxies.patterns import count_packed, pack_bits


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pointwise(weights: list[list[float]], activation: type[nn.Module] = nn.ReLU) -> nn.Module:
    """Return one 1x1 convolution without bias, weights of shape (out, in), and an activation."""
    conv = nn.Conv2d(len(weights[0]), len(weights), 1, bias=False)
    conv.weight.data = torch.tensor(weights)[:, :, None, None]
    return nn.Sequential(conv, activation())


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6, nn.Hardswish, nn.GELU, nn.SiLU])
def test_patterns_of_one_layer_counted_by_hand(activation):
    one_hot = torch.eye(3).reshape(3, 3, 1, 1)
    assert count_patterns(pointwise([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]], activation), one_hot) == 3
    assert count_patterns(pointwise([[1.0, 1, 0], [1, 1, -1], [0, 0, -1], [-1, 0, 0]], activation), one_hot) == 2


def test_patterns_of_all_layers_are_united_not_summed():
    twice = nn.Sequential(pointwise([[1.0, 0], [0, 1]]), pointwise([[1.0, 0], [0, 1]]))
    assert count_patterns(twice, torch.eye(2).reshape(2, 2, 1, 1)) == 2


def test_a_dead_network_shows_one_pattern(network, images):
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    assert count_patterns(network, images) == 1


def test_gates_and_flat_activations_are_left_out(images):
    conv = nn.Conv2d(3, 8, 3)
    plain = count_patterns(nn.Sequential(conv, nn.ReLU()), images)
    gated = nn.Sequential(conv, nn.ReLU(), nn.Sigmoid(), nn.Hardsigmoid(), nn.Flatten(), nn.LazyLinear(9), nn.ReLU())
    assert count_patterns(gated, images) == plain


def test_an_activation_called_twice_counts_both_times(images):
    relu = nn.ReLU()
    first, second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)
    shared, apart = (
        nn.Sequential(first, relu, second, relu),
        nn.Sequential(first, nn.ReLU(), second, nn.ReLU()),
    )
    assert count_patterns(shared, images) == count_patterns(apart, images) > count_patterns(apart[:2], images)


@pytest.mark.parametrize("seed", range(20))
def test_copies_of_one_image_show_at_most_two_patterns(network_of, images, seed):
    assert count_patterns(network_of(seed).eval(), images[:1].expand(9, -1, -1, -1)) <= 2


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), samples=st.integers(1, 70))
def test_counts_equal_the_naive_ones_and_keep_the_bound(network_of_session, seed, samples):
    network = network_of_session(seed).eval()
    images = torch.randn(samples, 3, 8, 8, generator=seeded(seed))
    count = count_patterns(network, images)
    assert count == naive_patterns(network, images)
    assert 1 <= count <= 2**samples
    assert count_patterns(network, images[torch.randperm(samples, generator=seeded(seed))]) == count


@pytest.mark.parametrize("factor", [0.25, 8.0])
@pytest.mark.parametrize("seed", range(5))
def test_scaling_weights_of_a_network_without_norms_changes_nothing(network_of, images, seed, factor):
    network = network_of(seed, activation=nn.ReLU, norm=False)
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    for layer in layers:
        layer.bias = None
    # Gates are not homogeneous, so only networks of convolutions and pools remain comparable.
    plain = nn.Sequential(*(layer for layer in network if not hasattr(layer, "layers")))
    before = count_patterns(plain, images)
    for layer in layers:
        layer.weight.data *= factor
    assert count_patterns(plain, images) == before


@settings(max_examples=30, deadline=None)
@given(data=st.data(), samples=st.sampled_from([1, 2, 7, 16, 23, 24, 25, 47, 48, 49, 61, 62, 63, 64, 97, 130]))
def test_packing_keeps_every_bit(data, samples):
    rows = data.draw(st.lists(st.integers(0, 2**samples - 1), min_size=1, max_size=30))
    bits = torch.tensor([[(row >> sample) & 1 for row in rows] for sample in range(samples)], dtype=torch.float64)
    packed = pack_bits(bits - 0.5)
    unpacked = [sum(int(digit) << (24 * place) for place, digit in enumerate(word)) for word in packed.T.tolist()]
    assert unpacked == rows
    assert count_packed(torch.stack([packed, packed]), samples).tolist() == [len(set(rows))] * 2


def test_a_network_without_activations_is_refused(images):
    with pytest.raises(EvaluationError, match="functional activations are not seen"):
        count_patterns(nn.Conv2d(3, 3, 1), images)
