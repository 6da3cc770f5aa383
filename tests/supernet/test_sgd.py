from __future__ import annotations

import pytest
import torch
from torch import nn

from evonas.errors import SettingsError, TrainingError
from evonas.supernet.sgd import SGD


def pair(dtype=torch.float32):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 5)).to(dtype)
        second = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(64, 5)).to(dtype)
    second.load_state_dict(first.state_dict())
    return first, second


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("momentum", "decay", "nesterov", "clip"),
    [(0.0, 0.0, False, None), (0.9, 0.0, False, None), (0.9, 1e-2, True, None), (0.8, 1e-3, False, 0.5)],
)
def test_without_a_transform_it_is_torch_bit_for_bit(dtype, momentum, decay, nesterov, clip):
    ours, theirs = pair(dtype)
    own = SGD(dict(ours.named_parameters()), momentum=momentum, weight_decay=decay, nesterov=nesterov, clip=clip)
    reference = torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=momentum, weight_decay=decay, nesterov=nesterov)
    generator = torch.Generator().manual_seed(1)
    for step in range(8):
        x = torch.randn(6, 3, 6, 6, generator=generator, dtype=dtype)
        lr = 0.1 / (step + 1)
        reference.param_groups[0]["lr"] = lr
        for network, optimizer in ((ours, own), (theirs, reference)):
            optimizer.zero_grad()
            network(x).square().mean().backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(theirs.parameters(), clip)
        own.step(lr, lambda updates: updates)
        reference.step()
    for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, its)


def test_the_final_update_is_transformed_momentum_and_decay_included():
    weight = nn.Parameter(torch.tensor([2.0]))
    optimizer = SGD({"w": weight}, momentum=0.5, weight_decay=0.1)
    seen = []

    def halve(updates):
        seen.append(float(updates["w"]))
        return {"w": updates["w"] * 0.5}

    for gradient in (1.0, 0.0):
        weight.grad = torch.tensor([gradient])
        optimizer.step(1.0, halve)
    first = 1.0 + 0.1 * 2.0
    second = 0.5 * first + 0.1 * (2.0 - first / 2)
    assert seen == pytest.approx([first, second])
    assert weight.item() == pytest.approx(2.0 - first / 2 - second / 2)


def test_a_parameter_without_gradient_keeps_weight_and_momentum():
    used, idle = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = SGD({"used": used, "idle": idle}, weight_decay=0.1)
    used.grad, idle.grad = torch.ones(2), torch.ones(2)
    optimizer.step(0.1)
    weight, momentum = idle.detach().clone(), optimizer.buffers["idle"].clone()
    optimizer.zero_grad()
    used.grad = torch.ones(2)
    optimizer.step(0.1)
    assert torch.equal(idle, weight)
    assert torch.equal(optimizer.buffers["idle"], momentum)
    assert not torch.equal(used, idle)


@pytest.mark.parametrize("nesterov", [False, True])
def test_entries_outside_the_parts_in_use_do_not_move(nesterov):
    weight = nn.Parameter(torch.ones(4, 4))
    optimizer = SGD({"w": weight}, weight_decay=0.1, nesterov=nesterov)
    weight.grad = torch.ones(4, 4)
    optimizer.step(0.1)
    before, momentum = weight.detach().clone(), optimizer.buffers["w"].clone()
    wide, tall = (slice(0, 1), slice(0, 3)), (slice(0, 3), slice(0, 1))
    for calls, used in (([wide], {(0, 0), (0, 1), (0, 2)}), ([wide, tall], None)):
        used = used or {(0, 0), (0, 1), (0, 2), (1, 0), (2, 0)}
        weight.data, optimizer.buffers["w"] = before.clone(), momentum.clone()
        weight.grad = torch.zeros(4, 4)
        optimizer.step(0.1, lambda updates: {"w": updates["w"] + 1.0}, {"w": calls})
        moved = {tuple(place) for place in (weight != before).nonzero().tolist()}
        assert moved == used
        changed = {tuple(place) for place in (optimizer.buffers["w"] != momentum).nonzero().tolist()}
        assert changed == used


def test_one_whole_call_makes_the_whole_weight_move():
    weight = nn.Parameter(torch.ones(3, 3))
    weight.grad = torch.ones(3, 3)
    SGD({"w": weight}).step(0.1, None, {"w": [(slice(0, 1), slice(0, 1)), None]})
    assert bool((weight < 1).all())


def test_its_state_restores_it_and_a_foreign_one_is_refused():
    weight = nn.Parameter(torch.ones(3))
    optimizer = SGD({"w": weight})
    weight.grad = torch.arange(3.0)
    optimizer.step(0.1)
    other = SGD({"w": weight})
    other.load_state_dict(optimizer.state_dict())
    assert torch.equal(other.buffers["w"], torch.arange(3.0))
    with pytest.raises(TrainingError, match=r"'w' has shape \(4,\) but the network has shape \(3,\)"):
        other.load_state_dict({"w": torch.zeros(4)})
    with pytest.raises(TrainingError, match=r"'v' .* no such parameter"):
        other.load_state_dict({"v": torch.zeros(4)})


@pytest.mark.parametrize("options", [{"momentum": 1.0}, {"weight_decay": -1.0}, {"clip": 0.0}])
def test_senseless_settings_are_refused(options):
    with pytest.raises(SettingsError, match="Expected"):
        SGD({}, **options)
