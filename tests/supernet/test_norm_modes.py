"""Norms in a supernet: plain, of each option, protected."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from evonas.errors import SettingsError, TrainingError
from evonas.networks import build
from evonas.spaces import load_space
from evonas.supernet import SupernetSettings, train_supernet
from evonas.supernet.norm_modes import NormGuard, searched_norms, separate_norms
from evonas.supernet.norm_names import check_norms
from evonas.supernet.rules.registry import find_rule
from evonas.supernet.sgd import Updates

STRICTEST = "disturbance-immune(layers=all, patches=32, memory=none, rank=none, strength=1.0, alpha=0.001)"


def elastic():
    """A supernet of elastic blocks, and data that it reads."""
    space = load_space("mobilenet_v3")
    skeleton = space.skeleton("small").replace(resolution=8, in_channels=1, classes=3, width=0.25)
    images = torch.randint(0, 255, (8, 1, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    part = SimpleNamespace(images=images, labels=torch.arange(8) % 3)
    data = SimpleNamespace(train=part, search=part, fingerprint="x", normalize=lambda x: x.float() / 127.5 - 1)
    return space, build(space, skeleton, seed=0), data


def trained(network, data, norms: str):
    settings = SupernetSettings(epochs=2, batch_size=8, lr=0.1, norms=norms, optimizer="sgd")
    train_supernet(network, data, "uniform", settings)
    return network.eval()


def test_plain_norms_are_exported_with_weight_one_and_bias_zero():
    space, network, data = elastic()
    trained(network, data, "plain")
    searched = searched_norms(network)
    assert searched
    architecture = space.decode(space.sample(1, np.random.default_rng(0))[0])
    alone = network.extract(space.canonical(architecture))
    names = [f"{name}.{kind}" for name in searched for kind in ("weight", "bias")]
    state = alone.state_dict()
    kept = [name for name in names if name in state]
    assert kept
    assert all(bool((state[name] == (1.0 if name.endswith("weight") else 0.0)).all()) for name in kept)
    # Norms that no choice is on are learned as ever, and none is left fixed.
    assert not bool((network.stem[1].weight == 1.0).all())
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_options_of_one_block_have_norms_of_their_own_that_extraction_takes_over():
    space, network, data = elastic()
    images = data.normalize(data.train.images)
    architecture = space.canonical(space.decode(space.sample(1, np.random.default_rng(1))[0]))
    path = space.path(architecture)
    before = network.eval()(images, path)
    separate_norms(network, "per-operation")
    assert torch.equal(network.eval()(images, path), before)  # copies, until they are trained
    trained(network, data, "per-operation")
    block = next(m for m in network.modules() if getattr(m, "own_norms", None) is not None)
    weights = [own["depthwise_weight"] for own in block.own_norms.values()]
    assert any(not torch.equal(weights[0], other) for other in weights[1:])
    assert torch.equal(block.depthwise["norm"].weight, torch.ones_like(weights[0]))  # not in use any more
    alone = network.extract(architecture).eval()
    torch.testing.assert_close(alone(images), network(images, path), rtol=1e-5, atol=1e-6)
    assert not any("own_norms" in name for name in alone.state_dict())


def drift(make_network, make_data, rule: str, norms: str, channels: int) -> float:
    """Relative change of an earlier path's outputs, by each batch's statistics, while others train."""
    others = ("separable-conv-conv", "skip-conv-separable", "conv-conv-separable")
    order = [text for i in range(12) for text in ("conv-separable-skip", others[i % 3])]
    known, order = len(order), order + [others[i % 3] for i in range(36)]
    drawn, data, network = iter(order), make_data(48), make_network(channels=channels)
    path = network.space.path(network.space.parse("conv-separable-skip"))
    images, seen = data.normalize(data.train.images[:16]), []

    def read() -> torch.Tensor:
        held = [(buffer, buffer.clone()) for buffer in network.buffers()]
        with torch.no_grad():
            outputs = network.train()(images, path)
        for buffer, value in held:
            buffer.copy_(value)
        return outputs

    train_supernet(
        network,
        data,
        find_rule(rule),
        SupernetSettings(epochs=20, batch_size=16, lr=0.1, lr_end=0.1, weight_decay=0.0, norms=norms, optimizer="sgd"),
        sample=lambda rng: network.space.parse(next(drawn)),
        path_of=network.space.path,
        progress=lambda state: seen.append(read()) if state.step == known else None,
    )
    (then,) = seen
    return float((read() - then).norm() / then.norm())


@pytest.mark.parametrize(("rule", "channels"), [("strict", 4), (STRICTEST, 8)])
def test_protected_norms_keep_what_an_earlier_path_gives(make_network, make_data, rule: str, channels: int):
    uniform = drift(make_network, make_data, "uniform", "affine", channels)
    assert uniform > 0.2
    assert drift(make_network, make_data, rule, "protected", channels) < uniform / 20
    if rule == STRICTEST:  # and norms that are free undo what the rule protects
        assert drift(make_network, make_data, rule, "affine", channels) > uniform / 20


def test_a_channel_that_n_architectures_used_keeps_a_share_of_its_updates(make_network):
    network = make_network()
    guard = NormGuard(network, alpha=0.5)
    key = "stem.1.weight"
    updates = Updates({key: torch.ones(4)}, {})
    assert torch.equal(guard.transform(updates, 1.0)[key], torch.ones(4))
    for n in (1, 2):
        guard.enter(1.0)
        torch.testing.assert_close(guard.transform(updates, 1.0)[key], torch.full((4,), 0.5 / (0.5 + n)))
    torch.testing.assert_close(guard.transform(updates, 0.0)[key], torch.ones(4))
    part = Updates({key: torch.ones(2)}, {key: (slice(0, 2),)})
    other = NormGuard(network, alpha=0.5)
    other.transform(part, 1.0)
    other.enter(1.0)
    whole = other.transform(updates, 1.0)[key]
    torch.testing.assert_close(whole, torch.tensor([1 / 3, 1 / 3, 1.0, 1.0]))
    again = NormGuard(network, alpha=0.5)
    again.load_state_dict(other.state_dict())
    torch.testing.assert_close(again.transform(updates, 1.0)[key], whole)
    with pytest.raises(TrainingError, match="energy of the norm"):
        NormGuard(make_network(channels=8), alpha=0.5).load_state_dict(other.state_dict())


def test_a_protected_training_that_was_stopped_goes_on_with_equal_weights(make_network, data, tmp_path):
    def run(checkpoint, epochs):
        network = make_network()

        def stop(state):
            if state.epoch > epochs:
                raise KeyboardInterrupt

        settings = SupernetSettings(epochs=3, batch_size=16, lr=0.1, norms="protected", optimizer="sgd")
        try:
            train_supernet(network, data, "strict", settings, checkpoint=checkpoint, progress=stop)
        except KeyboardInterrupt:
            return None
        return network.state_dict()

    whole = run(tmp_path / "whole", 3)
    assert run(tmp_path / "part", 1) is None
    resumed = run(tmp_path / "part", 3)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.parametrize(
    ("norms", "rule", "words"),
    [("plane", None, "Did you mean 'plain'"), ("protected", "uniform", "disturbance-immune alone, got 'uniform'")],
)
def test_what_is_none_or_cannot_be_is_refused(norms: str, rule: str | None, words: str):
    with pytest.raises(SettingsError, match=words):
        check_norms(norms, rule)


def test_a_rule_that_protects_nothing_cannot_protect_norms(make_network, data):
    settings = SupernetSettings(epochs=1, batch_size=16, norms="protected")
    with pytest.raises(SettingsError, match="protect"):
        train_supernet(make_network(), data, "uniform", settings)
