from __future__ import annotations

import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from evonas.errors import EvaluationError, SettingsError
from evonas.proxies import SaturationWarning, Swap, naive_counts, regularization, swap_counts
from evonas.proxies.swap import CHUNK


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def snapshot(network: nn.Module) -> tuple:
    state = {name: value.clone() for name, value in network.state_dict().items()}
    hooks = [len(m._forward_pre_hooks) + len(m._forward_hooks) + len(m._backward_hooks) for m in network.modules()]
    return state, hooks, [m.training for m in network.modules()], [p.grad for p in network.parameters()]


@pytest.mark.parametrize("training", [True, False])
def test_score_is_the_mean_of_the_naive_counts(network, images, training):
    network.train(training)
    score = Swap(repeats=5).score(network, images, seeded())
    assert score == naive_counts(network, images, seeded(), 5).double().mean().item()


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("samples", [2, 5, 16, 24, 26, 70])
def test_packed_counts_equal_naive_counts(network_of, seed, samples):
    network = network_of(seed).double()
    images = torch.randn(samples, 3, 9, 9, generator=seeded(seed), dtype=torch.float64)
    assert torch.equal(swap_counts(network, images, seeded(7), 2), naive_counts(network, images, seeded(7), 2))


@pytest.mark.parametrize("repeats", [1, CHUNK, CHUNK + 1, 2 * CHUNK + 3])
def test_counts_do_not_depend_on_how_many_run_in_one_pass(network, images, repeats):
    assert torch.equal(
        swap_counts(network, images, seeded(), repeats), naive_counts(network, images, seeded(), repeats)
    )


def test_a_network_that_branches_on_values_is_scored_one_by_one(network, images):
    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network

        def forward(self, images):
            logits = self.inner(images)
            return logits if logits.sum() > 0 else -logits

    assert torch.equal(swap_counts(Branching(), images, seeded(), 3), swap_counts(network, images, seeded(), 3))


def test_nothing_of_the_network_changes(network, images):
    network.train()
    network[0].eval()
    before = snapshot(network)
    Swap(repeats=3).score(network, images, seeded())
    after = snapshot(network)
    assert all(torch.equal(before[0][name], after[0][name]) for name in before[0])
    assert before[1:] == after[1:]


def test_hooks_are_removed_when_the_network_fails(network, images):
    network.append(nn.Linear(7, 7))
    before = snapshot(network)
    with pytest.raises(EvaluationError, match="swap: the network failed with RuntimeError"):
        Swap(repeats=1).score(network, images, seeded())
    assert snapshot(network)[1:] == before[1:]


def test_the_global_random_state_is_neither_read_nor_moved(network, images):
    torch.manual_seed(5)
    first = Swap(repeats=2).score(network, images, seeded())
    state = torch.get_rng_state()
    torch.manual_seed(6)
    assert Swap(repeats=2).score(network, images, seeded()) == first
    assert torch.equal(state, torch.manual_seed(5).get_state())


def test_dropout_stays_out(network, images):
    dropped = nn.Sequential(nn.Dropout(0.5), network)
    assert torch.equal(swap_counts(dropped, images, seeded(), 2), swap_counts(network, images, seeded(), 2))


def test_norms_use_the_statistics_of_the_batch(network, images):
    before = swap_counts(network, images, seeded(), 2)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.fill_(1e6)
            nn.init.constant_(module.weight, -3.0)
    assert torch.equal(swap_counts(network, images, seeded(), 2), before)


@given(st.floats(-50, 50), st.floats(0.01, 100), st.floats(0, 20))
def test_regularization_is_one_at_mu_and_symmetric(mu, sigma, step):
    assert regularization(mu, mu, sigma) == 1
    assert regularization(mu + step, mu, sigma) == pytest.approx(regularization(mu - step, mu, sigma), rel=1e-6)
    for sign in (-1, 1):
        assert regularization(mu + sign * math.sqrt(sigma), mu, sigma) == pytest.approx(1 / math.e, rel=1e-6)


def test_regularized_score_counts_thousand_parameters(network, images):
    thousands = sum(parameter.numel() for parameter in network.parameters()) / 1000
    plain = Swap(repeats=2).score(network, images, seeded())
    assert Swap(repeats=2, mu=thousands, sigma=1).score(network, images, seeded()) == plain
    shifted = Swap(repeats=2, mu=thousands + 2, sigma=4).score(network, images, seeded())
    assert shifted == pytest.approx(plain / math.e)


def test_saturation_is_warned_of(network, images):
    with pytest.warns(SaturationWarning, match=re.escape("of at most 2^3 patterns: the score saturates")):
        assert Swap(repeats=2, batch=3).score(network, images[:3], seeded()) <= 8


def test_default_is_the_published_configuration():
    needs = Swap().needs
    assert (needs.skeleton, needs.batch, needs.repeats, needs.labels) == ("proxy", 16, 32, False)


@pytest.mark.parametrize(
    "options", [{"repeats": 0}, {"batch": 1}, {"mu": 1.0}, {"sigma": 1.0}, {"mu": 1.0, "sigma": 0.0}]
)
def test_settings_out_of_range_are_refused(options):
    with pytest.raises(SettingsError, match="expected"):
        Swap(**options)


def test_bad_input_is_an_error_with_its_cause(network, images):
    def cause(network, images):
        with pytest.raises(EvaluationError) as caught:
            Swap(repeats=1).score(network, images, seeded())
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "got copies of one image" in cause(network, images[:1].expand(4, -1, -1, -1))
    assert "at least 2 images, got 1" in cause(network, images[:1])
    assert "expected finite images" in cause(network, images / 0)
    assert "expected float images" in cause(network, images.to(torch.uint8))
    assert "shape (n, channels" in cause(network, images[0])
    assert "got none" in cause(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten()), images)
    assert "got none" in cause(nn.Sequential(nn.Flatten(), nn.Linear(432, 4), nn.ReLU()), images)
    deep = nn.Sequential(*(layer for _ in range(60) for layer in (nn.Conv2d(3, 3, 3), nn.ReLU())), nn.Flatten())
    assert "NaN or infinity" in cause(nn.Sequential(nn.Upsample(130), deep), images * 1e30)
