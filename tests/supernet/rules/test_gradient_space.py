from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from evonas.errors import SettingsError
from evonas.supernet import RuleContext, SupernetSettings, train_supernet
from evonas.supernet.rules.gradient_space import GradientSpace
from evonas.supernet.sgd import SGD


class Linear(nn.Module):
    """One layer that both architectures share; the loss of each is linear in its weights."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(6, 4).double()
        generator = torch.Generator().manual_seed(0)
        self.slopes = {name: torch.randn(4, 7, generator=generator, dtype=torch.float64) for name in ("A", "B", "C")}

    def forward(self, path):
        weights = torch.cat([self.shared.weight, self.shared.bias[:, None]], dim=1)
        return (weights * self.slopes[path[0]]).sum()


def train(order, momentum=0.9, weight_decay=1e-2, slices=None, **options):
    """Train in an order and return the losses of all before and after the last run of one name."""
    torch.manual_seed(0)
    network = Linear()
    names = iter(order)
    context = RuleContext(network, lambda rng: next(names), lambda name: (name,), steps=len(order))
    rule = GradientSpace(context, memory=None, **{"strength": 1.0, **options})
    optimizer = SGD(dict(network.named_parameters()), momentum=momentum, weight_decay=weight_decay)
    rng, last = np.random.default_rng(0), order.rstrip(order[-1])
    losses = []
    for step in range(len(order)):
        if step == len(last):
            losses.append({name: float(network((name,)).detach()) for name in network.slopes})
        plan = rule.plan(rng)
        optimizer.zero_grad()
        network(plan[0].path).backward()
        optimizer.step(0.1, rule.transform, slices)
        rule.after_step(plan, {})
    losses.append({name: float(network((name,)).detach()) for name in network.slopes})
    return losses, rule


@pytest.mark.parametrize("order", ["AABBBBB", "ABCCCC"])
def test_later_updates_leave_losses_that_are_linear_alone(order):
    """Momentum and weight decay included; a loss that is not protected changes."""
    (before, after), _ = train(order)
    earlier = set(order) - {order[-1]}
    for name in earlier:
        assert abs(after[name] - before[name]) < 1e-9
    assert before[order[-1]] - after[order[-1]] > 1.0
    (before, after), _ = train(order, strength=0.0)
    assert all(abs(after[name] - before[name]) > 1e-2 for name in earlier)


def test_the_basis_is_an_exact_projector_of_the_earlier_gradients():
    _, rule = train("AABBCC")
    matrix = rule.projectors["shared"].matrix()[0]
    assert float((matrix @ matrix - matrix).abs().max()) < 1e-6
    assert int(torch.linalg.matrix_rank(matrix, tol=1e-6)) == 28 - 2  # C has not entered
    flat = torch.cat([Linear().slopes["A"][:, :6].flatten(), Linear().slopes["A"][:, 6]])
    assert float((matrix @ flat).norm()) < 1e-6


def test_principal_components_cap_the_directions():
    network = nn.Linear(40, 10, bias=False).double()
    rule = GradientSpace(RuleContext(network, lambda rng: None, lambda a: (), steps=1), rank=3, memory=None)
    generator = torch.Generator().manual_seed(1)
    often = torch.randn(400, generator=generator, dtype=torch.float64)
    for step in range(40):
        noise = torch.randn(400, generator=generator, dtype=torch.float64)
        row = often if step % 2 else noise
        rule.projectors[""].absorb(row[None, None] / row.norm())
        assert rule.projectors[""].held <= 6 * 400
    kept = rule.projectors[""].project(often[None, None]).norm() / often.norm()
    assert float(kept) < 0.05


def test_switched_off_it_is_uniform_training_bit_for_bit(make_network, data):
    trained = []
    for rule in ("uniform", partial(GradientSpace, strength=0.0), "gradient-space"):
        network = make_network()
        train_supernet(network, data, rule, SupernetSettings(epochs=2, batch_size=8))
        trained.append(network.state_dict())
    assert all(torch.equal(trained[0][name], trained[1][name]) for name in trained[0])
    assert not torch.equal(trained[0]["stem.0.weight"], trained[2]["stem.0.weight"])


def test_a_part_of_a_weight_is_orthogonal_to_the_part_of_the_gradient():
    torch.manual_seed(0)
    network = nn.Linear(6, 4, bias=False).double()
    names = iter("AB")
    rule = GradientSpace(RuleContext(network, lambda rng: next(names), lambda name: (name,), steps=9), memory=None)
    rule.plan(np.random.default_rng(0))
    part = (slice(0, 3), slice(0, 4))
    gradient = torch.randn(4, 6, dtype=torch.float64)
    optimizer = SGD({"weight": network.weight}, momentum=0.0)
    network.weight.grad = gradient.clone()
    optimizer.step(0.1, rule.transform)
    rule.after_step([], {})
    rule.plan(np.random.default_rng(0))
    before = network.weight.detach().clone()
    network.weight.grad = torch.randn(4, 6, dtype=torch.float64)
    optimizer.step(0.1, partial_strength(rule), {"weight": [part]})
    change = network.weight.detach() - before
    assert float(change.norm()) > 0
    assert abs(float((change * gradient).sum())) < 1e-9
    assert float(change[3:].abs().max()) == float(change[:, 4:].abs().max()) == 0


def partial_strength(rule):
    rule._schedule = lambda progress: 1.0
    return rule.transform


def test_a_rank_below_one_is_refused(make_network):
    network = make_network()
    with pytest.raises(SettingsError, match="rank must be at least 1"):
        GradientSpace(RuleContext(network, network.space.sample, network.space.path, 1), rank=0)
