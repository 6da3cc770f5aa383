"""Every proxy on networks of the shipped spaces."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from evonas.networks import build
from evonas.proxies import SaturationWarning, load_proxy, naive_counts, proxies, score_all, swap_counts
from evonas.proxies.initialize import batch_statistics
from evonas.proxies.patterns import packing
from evonas.spaces import load_space, shipped


def sampled(name, number, seed=0, **changes):
    space = load_space(name)
    skeleton = space.skeleton("proxy", **changes)
    for genome in space.sample(number, np.random.default_rng(seed)):
        yield build(space, skeleton, space.decode(genome), seed=seed)


def both(network, samples, side, seed, repeats):
    images = torch.randn(samples, 3, side, side, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return [
        count(network.double(), images, torch.Generator().manual_seed(seed), repeats).tolist()
        for count in (swap_counts, naive_counts)
    ]


@pytest.mark.parametrize("name", shipped())
def test_packed_counts_equal_naive_counts(name):
    for network, samples in zip(sampled(name, 3, resolution=8), (5, 16, 30), strict=True):
        packed, naive = both(network, samples, 8, samples, 2)
        assert packed == naive


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped())
def test_packed_counts_equal_naive_counts_on_many_pairs(name):
    for seed, network in enumerate(sampled(name, 200, resolution=16)):
        packed, naive = both(network, 4 + seed % 60, 16, seed, 1)
        assert packed == naive


def test_neurons_of_a_published_genotype():
    cell = (
        "[('dil_conv_5x5', 0), ('sep_conv_5x5', 0), ('skip_connect', 0), ('avg_pool_3x3', 1), "
        "('sep_conv_5x5', 1), ('skip_connect', 3), ('dil_conv_5x5', 1), ('none', 0)]"
    )
    space = load_space("darts_open")
    architecture = space.parse(
        f"Genotype(normal={cell}, normal_concat=[2, 3, 4, 5], reduce={cell}, reduce_concat=[2, 3, 4, 5])"
    )
    network = build(space, space.skeleton("proxy_paper"), architecture)
    with torch.no_grad(), batch_statistics(network), packing(network) as packed:
        network(torch.randn(2, 3, 32, 32))
    assert sum(digits.shape[1] for digits in packed) == 39_936


@pytest.mark.parametrize("name", ["darts", "nasbench201", "mobilenet_v3"])
def test_every_proxy_scores(name):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(256, 3, 8, 8, generator=generator)
    labels = torch.randint(10, (256,), generator=generator)
    asked = [load_proxy(proxy, **({"repeats": 1} if proxy == "swap" else {})) for proxy in sorted(proxies())]
    (network,) = sampled(name, 1, seed=1, resolution=8, head=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturationWarning)
        scores = score_all(asked, network, images, 0, labels)
    assert [str(score) for score in scores if not isinstance(score, float)] == []
