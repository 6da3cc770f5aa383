"""Named settings of the regularized score: what they are, and that they follow from sizes alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from evonas.errors import EvaluationError, SettingsError
from evonas.networks import build
from evonas.objectives.proxy import parameters
from evonas.proxies import Swap, SwapRegularized, load_proxy, regularization
from evonas.proxies.swap_regularized import DEVIATION, PUBLISHED, QUANTILES
from evonas.spaces import load_space


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def published():
    """Space and skeleton of the published proxy network."""
    space = load_space("darts_open")
    return space, space.skeleton("proxy_paper")


def test_theta_counts_the_classifier_of_the_published_network(published):
    space, skeleton = published
    genome = np.zeros(len(space.choices), dtype=np.int16)  # none everywhere: the two preprocessings and the classifier
    architecture = space.decode(genome)
    assert parameters(space, skeleton, architecture) == 2 * (3 * 6 + 12) + 24 * 10 + 10 == 310
    network = build(space, skeleton, architecture)
    images = torch.randn(16, 3, 32, 32, generator=seeded(1))
    plain = Swap(repeats=2, skeleton="proxy_paper").score(network, images, seeded())
    factor = regularization(0.31, 1.2, 1.2)
    assert Swap(repeats=2, mu=1.2, sigma=1.2).score(network, images, seeded()) == pytest.approx(plain * factor)
    paper = SwapRegularized(setting="paper_b", repeats=2)
    assert paper.needs.skeleton == "proxy_paper"
    assert paper.fitted([5, 6]) is paper
    assert paper.score(network, images, seeded()) == pytest.approx(plain * factor)


def test_quantiles_are_those_of_random_genotypes_on_the_published_network(published):
    space, skeleton = published
    genomes = space.sample(500, np.random.default_rng(7))
    sizes = np.array([parameters(space, skeleton, space.decode(genome)) for genome in genomes]) / 1000
    assert sizes.std() == pytest.approx(DEVIATION, abs=0.03)
    for name, mu in PUBLISHED.items():
        assert (sizes <= mu).mean() == pytest.approx(QUANTILES[name], abs=0.06)


def test_preferences_move_to_another_network_by_quantile_and_deviation():
    rng = np.random.default_rng(0)
    sizes = (1000 * (50 + 10 * rng.standard_normal(20_000))).astype(int)
    for name, quantile in QUANTILES.items():
        proxy = SwapRegularized(setting=name).fitted(sizes.tolist())
        assert (sizes / 1000 <= proxy.mu).mean() == pytest.approx(quantile, abs=1e-3)
        assert math.sqrt(proxy.sigma) / (sizes / 1000).std() == pytest.approx(math.sqrt(PUBLISHED[name]) / DEVIATION)
    larger = SwapRegularized(setting="c").fitted((2 * sizes).tolist())
    assert larger.mu == pytest.approx(2 * proxy.mu, rel=1e-4)
    assert larger.sigma == pytest.approx(4 * proxy.sigma, rel=1e-4)


def test_largest_rises_with_size_from_a_third_to_one():
    proxy = SwapRegularized().fitted([2000, 8000, 5000])
    assert (proxy.mu, proxy.sigma) == (8, 64)
    factors = [regularization(theta, proxy.mu, proxy.sigma) for theta in (0, 2, 5, 8)]
    assert factors[0] == pytest.approx(1 / math.e)
    assert factors == sorted(factors)
    assert factors[-1] == 1


def test_target_size_is_what_is_given(network, images):
    plain = Swap(repeats=2).score(network, images, seeded())
    proxy = SwapRegularized(theta="target", repeats=2).fitted([1000, 4000])
    assert proxy.score(network, images, seeded(), target_parameters=4000) == plain
    small = proxy.score(network, images, seeded(), target_parameters=0)
    assert small == pytest.approx(plain / math.e)
    with pytest.raises(EvaluationError, match="expected the parameters of the searched network, got none"):
        proxy.score(network, images, seeded())


def test_what_is_not_fitted_or_not_known_is_refused(network, images):
    with pytest.raises(EvaluationError, match="call fitted"):
        SwapRegularized(repeats=1).score(network, images, seeded())
    with pytest.raises(EvaluationError, match="expected networks of different sizes"):
        SwapRegularized(setting="a", repeats=1).fitted([7, 7]).score(network, images, seeded())
    for options, message in (
        ({"setting": "paper_d"}, "expected a setting of largest, a, b, c, paper_a"),
        ({"setting": "paper_a", "theta": "target"}, "whose theta is 'scored'"),
        ({"setting": "paper_a", "skeleton": "small"}, "use 'a'"),
        ({"theta": "all"}, "expected a theta of 'scored' or 'target'"),
        ({"setting": "a", "colour": 3}, "expected options of the proxy"),
    ):
        with pytest.raises(SettingsError, match=message):
            load_proxy("swap_regularized", **options)
