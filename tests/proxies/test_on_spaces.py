"""Every proxy on networks of the shipped spaces."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from evonas.data import load_data
from evonas.networks import build
from evonas.networks.cell_module import CellModule
from evonas.objectives import Context
from evonas.objectives.proxy import ProxyEvaluator
from evonas.pareto.correlation import spearman
from evonas.proxies import SaturationWarning, load_proxy, naive_counts, proxies, score_all, swap_counts
from evonas.proxies.initialize import batch_statistics
from evonas.proxies.patterns import packing
from evonas.spaces import as_candidates, load_space, shipped
from evonas.tables.load import load_table
from tests.conftest import each_space


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


@pytest.mark.parametrize("name", each_space())
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
    asked = [one.fitted(range(10_000, 1_000_000, 20_000)) if one.needs.sizes else one for one in asked]
    (network,) = sampled(name, 1, seed=1, resolution=8, head=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturationWarning)
        scores = score_all(asked, network, images, 0, labels)
    assert [str(score) for score in scores if not isinstance(score, float)] == []


@pytest.mark.parametrize("name", shipped())
def test_proxy_networks_hold_every_kind_of_cell_and_every_stage(name):
    space = load_space(name)
    with torch.device("meta"):
        supernet = build(space, space.skeleton("proxy", head=True))
    cells = {module.kind for module in supernet.modules() if isinstance(module, CellModule)}
    assert cells == set(getattr(space, "kinds", ()))
    decided = {slot.decision for _, slot in supernet.slots()}
    with torch.device("meta"):
        whole = build(space, space.literature_skeleton())
    assert {slot.decision for _, slot in whole.slots() if len(slot.options) > 1} <= decided


@pytest.mark.parametrize(("name", "share"), [("darts", 0.15), ("lhd", 0.22)])
def test_a_kind_of_cell_weighs_what_it_is_of_the_network(name, share):
    """Spread of SWAP by the reduction cell beside that by the normal one, as in the literature's multiply-adds."""
    space = load_space(name)
    skeleton = space.skeleton("proxy", resolution=16)
    images = torch.nn.functional.interpolate(
        torch.randn(16, 3, 4, 4, generator=torch.Generator().manual_seed(0)), size=16, mode="bilinear"
    )
    genomes = space.sample(5, np.random.default_rng(1), by="choice")
    half = len(space.choices) // 2
    scores = np.zeros((5, 5))
    for i, normal in enumerate(genomes):
        for j, reduce in enumerate(genomes):
            form = space.form(np.concatenate([normal[:half], reduce[half:]]))
            counts = swap_counts(build(space, skeleton, form), images, torch.Generator().manual_seed(i * 5 + j), 4)
            scores[i, j] = counts.double().mean()
    by_normal, by_reduce = scores.mean(1).std(), scores.mean(0).std()
    assert by_reduce / (by_normal + by_reduce) == pytest.approx(share, abs=0.15)
    assert by_normal > by_reduce > 0


@pytest.mark.slow
@pytest.mark.parametrize("skeleton", ["proxy", "proxy_paper"])
def test_swap_ranks_trained_darts_networks(skeleton, truth):
    """Spearman of 0.90 and more over 500 networks whose cells are equal, as published with the one-cell network."""
    space = load_space("darts_open")
    table = load_table(truth / "darts500_cifar10.csv.gz", space)
    data = load_data(truth / "cifar10_exact.npz")
    evaluator = ProxyEvaluator(Context(space, space.skeleton(), data=data), "swap", repeats=8, skeleton=skeleton)
    rows = evaluator.evaluate(as_candidates(table.architectures))
    scores = [row["swap"].value for row in rows]
    assert spearman(scores, table["c10_valid_acc_200ep"]) >= 0.90
