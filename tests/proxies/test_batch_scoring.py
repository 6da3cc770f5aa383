from __future__ import annotations

import pytest
import torch
from torch import nn

from evonas.errors import EvaluationError, SettingsError
from evonas.proxies import Needs, Proxy, load_proxy, proxies, score_all
from evonas.proxies.batch_scoring import STEP
from evonas.proxies.initialize import reinitialize

NAMES = [
    "swap",
    "epsinas",
    "nlc",
    "naswot",
    "synflow",
    "jacov",
    "grad_norm",
    "snip",
    "zen",
    "params",
    "flops",
]


@pytest.fixture
def many():
    return torch.randn(256, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels():
    return torch.randint(5, (256,), generator=torch.Generator().manual_seed(4))


@pytest.fixture
def asked():
    return [load_proxy(name, **({"repeats": 2} if name == "swap" else {})) for name in NAMES]


def test_every_proxy_scores_as_if_alone(network_of, many, labels, asked):
    network = network_of(2)
    together = score_all(asked, network, many, 3, labels)
    assert all(isinstance(score, float) for score in together)
    assert score_all(asked[::-1], network, many, 3, labels)[::-1] == together
    for proxy, score in zip(asked, together, strict=True):
        assert score_all([proxy], network, many, 3, labels) == [score]


def test_scores_depend_on_the_seed_not_on_the_weights_given(network_of, many, labels, asked):
    network = network_of(2)
    before = score_all(asked, network, many, 3, labels)
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    assert score_all(asked, network, many, 3, labels) == before
    other = dict(zip(NAMES, score_all(asked, network, many, 4, labels), strict=True))
    same = {name for name, score in zip(NAMES, before, strict=True) if score == other[name]}
    assert same == {"epsinas", "params", "flops"}


def test_equal_needs_share_one_forward_pass(network_of, many, labels):
    network = network_of(2)
    calls = []
    network.register_forward_hook(lambda *call: calls.append(None))
    score_all([load_proxy(name) for name in ("naswot", "jacov", "grad_norm", "snip")], network, many, 0, labels)
    assert len(calls) == load_proxy("jacov").needs.repeats  # the others read the first of them


def test_the_network_is_as_before(network_of, many, labels, asked):
    network = network_of(2)
    network.train()
    network[0].eval()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    random = torch.get_rng_state()
    score_all(asked, network, many, 3, labels)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert network.training
    assert not network[0].training
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert not any(
        module._forward_hooks or module._forward_pre_hooks or module._backward_hooks for module in network.modules()
    )
    assert torch.equal(random, torch.get_rng_state())


def test_one_failure_leaves_the_others(network_of, many):
    scores = score_all([load_proxy("snip"), load_proxy("params"), load_proxy("epsinas")], network_of(2), many[:40], 0)
    assert str(scores[0]).startswith("snip: expected labels")
    assert scores[1] > 0
    assert str(scores[2]) == "epsinas: expected 256 images, got 40: pass more images"


@pytest.mark.parametrize("name", NAMES)
def test_bad_batches_are_failures_for_every_proxy(network, images, name):
    labels = torch.zeros(16, dtype=torch.int64)
    for batch in (images[:1], images[:1].expand(16, -1, -1, -1), images / 0):
        with pytest.raises(EvaluationError, match=f"^{name}: expected [^\n]+$"):
            load_proxy(name).score(network, batch, torch.Generator(), labels[: len(batch)])


@pytest.mark.parametrize("name", ["swap", "synflow", "zen", "epsinas", "nlc", "naswot", "jacov", "grad_norm", "snip"])
def test_outputs_that_are_not_finite_are_failures(network, images, name):
    class Infinite(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, images):
            return self.network(images) / 0

    with pytest.raises(EvaluationError, match=f"^{name}: expected finite outputs"):
        load_proxy(name).score(Infinite(), images, torch.Generator(), torch.zeros(16, dtype=torch.int64))


def test_networks_that_write_in_place_or_are_frozen_score_the_same(images):
    def build(inplace):
        return nn.Sequential(nn.ReLU(inplace), nn.Conv2d(3, 4, 3), nn.ReLU(inplace), nn.Flatten(), nn.Linear(400, 5))

    plain, frozen = build(False), build(True).requires_grad_(False)
    frozen.load_state_dict(plain.state_dict())
    kept = images.clone()
    labels = torch.randint(5, (16,), generator=torch.Generator().manual_seed(4))
    for name in NAMES:
        score = load_proxy(name).score(plain, images, torch.Generator().manual_seed(0), labels)
        assert load_proxy(name).score(frozen, images, torch.Generator().manual_seed(0), labels) == score
        assert torch.equal(images, kept)


def test_initialization_is_torch_s_default(network_of):
    network = reinitialize(network_of(1), torch.Generator().manual_seed(0))
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            bound = module.weight[0].numel() ** -0.5
            assert 0.5 * bound < module.weight.abs().max() <= bound
        elif isinstance(module, nn.BatchNorm2d):
            assert torch.equal(module.weight, torch.ones_like(module.weight))
            assert torch.equal(module.running_var, torch.ones_like(module.running_var))


class Always(Proxy):
    name = "always"
    needs = Needs()

    def __init__(self, value: float = 1.0) -> None:
        self.value = value

    def measure(self, forward):
        return self.value


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_that_is_not_finite_is_a_failure(network, images, value):
    with pytest.raises(EvaluationError, match="always: expected a finite score"):
        Always(value).score(network, images, torch.Generator())


def test_names_are_unique_and_described():
    known = proxies()
    assert set(NAMES) <= set(known)
    for name, proxy in known.items():
        assert proxy.name == name
        assert proxy.direction in ("max", "min")
        assert isinstance(load_proxy(name).needs, Needs)


def test_repeats_average_over_new_weights(network_of, many):
    network = network_of(2)
    generators = [torch.Generator().manual_seed((9 + draw * STEP) % 2**32) for draw in range(3)]
    singles = [load_proxy("jacov").score(reinitialize(network, one), many[:8], one) for one in generators]
    (mean,) = score_all([load_proxy("jacov", batch=8, repeats=3)], network, many, 9)
    assert mean == pytest.approx(sum(singles) / 3)


def test_one_failing_repeat_fails_the_mean(network_of, many):
    class Moody(Proxy):
        name = "moody"

        def measure(self, forward):
            if sum(parameter.sum() for parameter in forward.network.parameters()) > 0:
                raise EvaluationError("a mood")
            return 1.0

    (result,) = score_all([Moody(repeats=30)], network_of(2), many, 9)
    assert str(result) == "moody: a mood"


def test_options_of_every_proxy():
    needs = load_proxy("naswot", skeleton="cifar", batch=64, repeats=2).needs
    assert (needs.skeleton, needs.batch, needs.repeats) == ("cifar", 64, 2)
    assert load_proxy("naswot").needs == Needs()
    with pytest.raises(SettingsError, match="of the proxy 'naswot', got 1 and 1"):
        load_proxy("naswot", batch=1)
