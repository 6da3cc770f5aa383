from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from evonas.errors import SettingsError, TrainingError
from evonas.supernet import RuleContext, SupernetSettings, train_supernet
from evonas.supernet.activation_capture import ActivationCapture
from evonas.supernet.rules.disturbance import DisturbanceImmune
from evonas.supernet.sgd import SGD


class TwoArchitectures(nn.Module):
    """One linear layer that both share; each architecture reads its own inputs."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.shared = nn.Linear(8, 3, bias=False).double()

    def forward(self, inputs, path):
        return self.shared(inputs[path[0]])


def loss_of(network, inputs, name, target):
    return float((network(inputs, (name,)) - target).square().mean().detach())


def train_a_then_b(inputs, alpha, strength=1.0, momentum=0.9, weight_decay=1e-2):
    """Train A, then B, and return how A's loss has changed."""
    network = TwoArchitectures()
    target = torch.ones(4, 3, dtype=torch.float64)
    order = iter("A" * 5 + "B" * 20)
    context = RuleContext(network, lambda rng: next(order), lambda name: (name,), steps=25)
    rule = DisturbanceImmune(context, alpha=alpha, patches="mean", strength=strength, memory=None, rank=None)
    optimizer = SGD(dict(network.named_parameters()), momentum=momentum, weight_decay=weight_decay)
    rng = np.random.default_rng(0)
    with ActivationCapture(network, rule.summary, rule.captured_layers) as capture:
        for step in range(25):
            (one,) = plan = rule.plan(rng)
            if step == 5:
                before = loss_of(network, inputs, "A", target)
                weights = network.shared.weight.detach().clone()
            capture.clear()
            optimizer.zero_grad()
            # B wants something else of the same layer than A does.
            wanted = target if one.path == ("A",) else -3 * target
            (network(inputs, one.path) - wanted).square().mean().backward()
            optimizer.step(0.05, rule.transform, capture.active_slices)
            rule.after_step(plan, capture.inputs)
    drift = (network.shared.weight.detach() - weights) @ inputs["A"].mean(0)
    return loss_of(network, inputs, "A", target) - before, float(drift.norm())


@pytest.mark.parametrize("alpha", [1e-9, 1e-12])
def test_a_later_architecture_leaves_the_first_one_s_loss_alone(alpha):
    # All of A's inputs are one vector, so their mean is the whole of what A reads; B's have no part in it.
    inputs = {"A": torch.zeros(4, 8, dtype=torch.float64), "B": torch.zeros(4, 8, dtype=torch.float64)}
    inputs["A"][:, :2] = 1.0
    inputs["B"][:, 3:] = torch.eye(4, 5, dtype=torch.float64)
    # Without the rule, momentum and weight decay alone move A's weights.
    plain, _ = train_a_then_b(inputs, alpha, strength=0.0)
    immune, _ = train_a_then_b(inputs, alpha)
    assert abs(plain) > 1e-2
    assert abs(immune) < 1e-6


def test_overlapping_inputs_leave_the_drift_that_alpha_allows():
    inputs = {"A": torch.zeros(4, 8, dtype=torch.float64), "B": torch.zeros(4, 8, dtype=torch.float64)}
    inputs["A"][:, 0] = 2.0
    inputs["B"][:, 0] = 0.01
    # A small overlap, so that B's own error hardly changes and its updates are those of plain training.
    settings = {"momentum": 0.0, "weight_decay": 0.0}
    _, plain = train_a_then_b(inputs, 1.0, strength=0.0, **settings)
    energy = 2.0**2
    for alpha in (0.1, 1.0, 10.0):
        _, drift = train_a_then_b(inputs, alpha, **settings)
        assert drift / plain == pytest.approx(alpha / (alpha + energy), rel=2e-3)


def trained(make_network, data, rule, epochs=2, dtype=torch.float64, **options):
    network = make_network(dropout=0.1).to(dtype)
    history = train_supernet(network, data, rule, SupernetSettings(epochs=epochs, batch_size=8, lr=0.1, **options))
    return network, history


def test_switched_off_it_is_uniform_training_bit_for_bit(make_network, data):
    plain, _ = trained(make_network, data, "uniform", dtype=torch.float32)
    off, _ = trained(make_network, data, partial(DisturbanceImmune, strength=0.0), dtype=torch.float32)
    immune, _ = trained(make_network, data, "disturbance-immune", dtype=torch.float32)
    assert all(torch.equal(a, b) for a, b in zip(plain.state_dict().values(), off.state_dict().values(), strict=True))
    assert not torch.equal(plain.stem[0].weight, immune.stem[0].weight)


def test_a_huge_alpha_is_uniform_training(make_network, data):
    plain, _ = trained(make_network, data, "uniform")
    loose, history = trained(make_network, data, partial(DisturbanceImmune, alpha=1e12))
    for mine, its in zip(loose.parameters(), plain.parameters(), strict=True):
        assert (mine - its).norm().item() <= 1e-9 * its.norm().item()
    assert history.epochs[-1]["trace_over_d"] == pytest.approx(1.0, abs=1e-9)


def test_the_share_that_is_free_is_reported_and_falls(make_network, data):
    _, history = trained(make_network, data, partial(DisturbanceImmune, patches="mean", memory=None), epochs=3)
    traces = [epoch["trace_over_d"] for epoch in history.epochs]
    assert 1.0 > traces[0] > traces[1] > traces[2] > 0.0


def a_rule(network, order, **options):
    names = iter(order)
    context = RuleContext(
        network, lambda rng: network.space.parse(next(names)), network.space.path, steps=100, **options
    )
    return DisturbanceImmune(context, layers="all")


def run_step(network, rule, data, optimizer=None):
    optimizer = optimizer or SGD(dict(network.named_parameters()))
    plan = rule.plan(np.random.default_rng(0))
    with ActivationCapture(network, rule.summary, rule.captured_layers) as capture:
        optimizer.zero_grad()
        network(data.normalize(data.train.images[:8]), plan[0].path).square().mean().backward()
        optimizer.step(0.1, rule.transform, capture.active_slices)
        rule.after_step(plan, capture.inputs)


def test_inputs_enter_only_when_another_architecture_is_drawn(make_network, data):
    network = make_network()
    rule = a_rule(network, ["conv-skip-skip"] * 3 + ["skip-skip-separable"] * 2)
    traces = []
    for _ in range(5):
        run_step(network, rule, data)
        traces.append(rule.projectors["stem.0"].trace())
    assert traces[:3] == [1.0] * 3
    assert traces[3] < 1.0
    assert traces[4] == traces[3]


def test_weights_and_projectors_off_the_path_do_not_change(make_network, data):
    network = make_network()
    rule = a_rule(network, ["conv-skip-skip", "skip-conv-skip", "separable-skip-conv", "skip-skip-skip"])
    optimizer = SGD(dict(network.named_parameters()), weight_decay=0.1)
    run_step(network, rule, data, optimizer)
    run_step(network, rule, data, optimizer)
    weights = {name: value.detach().clone() for name, value in network.named_parameters()}
    projectors = {name: projector.matrix() for name, projector in rule.projectors.items()}
    run_step(network, rule, data, optimizer)
    run_step(network, rule, data, optimizer)
    idle = "slots.0.conv."
    assert all(torch.equal(weights[n], p) for n, p in network.named_parameters() if n.startswith(idle))
    assert not torch.equal(weights["stem.0.weight"], network.stem[0].weight)
    assert not torch.equal(weights["slots.2.conv.1.weight"], network.slots[2]["conv"][1].weight)
    changed = {name for name in projectors if not torch.equal(projectors[name], rule.projectors[name].matrix())}
    on_path = {"slots.0.separable.1", "slots.0.separable.2", "slots.2.conv.1"}
    # "skip-conv-skip" entered when the third was drawn, the third when the fourth was.
    assert changed == {"stem.0", "classifier", "slots.1.conv.1"} | on_path


def test_bursts_train_one_architecture_several_times(make_network, data):
    network = make_network()
    names = iter(["conv-skip-skip", "skip-skip-skip"])
    context = RuleContext(network, lambda rng: next(names), lambda name: tuple(name.split("-")), steps=6)
    rule = DisturbanceImmune(context, burst=3)
    drawn = [str(rule.plan(np.random.default_rng(0))[0]) for _ in range(6)]
    assert drawn == ["conv-skip-skip"] * 3 + ["skip-skip-skip"] * 3


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", (1, 1, 1)), ("early", (1, 1, 0)), ("opening", (1, 1, 0)), ("cosine", (1, 0.853553, 0.146447))],
)
def test_strength_follows_its_schedule(schedule, expected):
    from evonas.supernet.rules.protection import STRENGTHS

    assert [STRENGTHS[schedule](progress) for progress in (0.0, 0.25, 0.75)] == pytest.approx(expected, abs=1e-6)


def test_sampled_patches_fill_more_dimensions_than_their_mean(make_network, data):
    free = []
    for patches in ("mean", 4):
        _, history = trained(make_network, data, partial(DisturbanceImmune, patches=patches))
        free.append(history.epochs[-1]["trace_over_d"])
    assert free[1] < free[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -1.0}, "alpha must be above 0"),
        ({"burst": 0}, "burst and memory of at least 1"),
        ({"memory": 0.5}, "burst and memory of at least 1"),
        ({"patches": "all"}, "patches 'mean' or a number"),
        ({"layers": "some"}, "layers first, bare, all"),
        ({"strength": 1.5}, r"strength in \[0, 1\]"),
        ({"strength": "earlie"}, "Did you mean 'early'"),
    ],
)
def test_senseless_settings_are_refused(make_network, options, message):
    network = make_network()
    with pytest.raises(SettingsError, match=message):
        DisturbanceImmune(RuleContext(network, network.space.sample, network.space.path, 1), **options)


def test_a_state_of_another_network_is_refused_by_name(make_network):
    rule = a_rule(make_network(), [])
    state = rule.state_dict()
    with pytest.raises(TrainingError, match=r"Projector 'stem\.0': Expected .* \(1, 0, 9\), got rows of shape"):
        rule.load_state_dict({**state, "projector/stem.0/rows": torch.zeros(1, 0, 25)})
    with pytest.raises(TrainingError, match=r"Only the checkpoint has a projector 'other'"):
        rule.load_state_dict({**state, "projector/other/rows": torch.zeros(1, 0, 25)})


def test_protection_may_be_kept_to_the_first_layers_or_those_that_no_norm_follows(make_network):
    network = make_network()
    context = RuleContext(network, network.space.sample, network.space.path, 1)
    everything, first, bare = (
        list(DisturbanceImmune(context, layers=layers).projectors) for layers in ("all", "first", "bare")
    )
    assert set(bare) == {name for name in everything if network.get_submodule(name).bias is not None}
    assert 0 < len(bare) < len(everything)
    assert first == everything[: math.ceil(len(everything) / 4)]
    assert first[0].startswith("stem")
    assert DisturbanceImmune(context).captured_layers == set(first)
