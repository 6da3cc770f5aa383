from __future__ import annotations

import pytest
import torch
from torch import nn

from evonas.errors import SettingsError, TrainingError
from evonas.supernet.adam import Adam


def quadratic(parameter, target):
    return ((parameter - target) ** 2).sum()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_it_is_adamw_where_every_parameter_moves(dtype, decay):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(4, 3, generator=generator, dtype=dtype)
    target = torch.randn(4, 3, generator=generator, dtype=dtype)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    adam = Adam({"w": ours}, weight_decay=decay)
    reference = torch.optim.AdamW([theirs], lr=0.05, weight_decay=decay)
    for _ in range(20):
        adam.zero_grad()
        quadratic(ours, target).backward()
        adam.step(0.05)
        reference.zero_grad()
        quadratic(theirs, target).backward()
        reference.step()
    assert torch.allclose(ours, theirs, rtol=1e-5 if dtype == torch.float32 else 1e-12)


def test_a_parameter_off_the_path_keeps_value_moments_and_count():
    on, off = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    adam = Adam({"on": on, "off": off}, weight_decay=0.5)
    for _ in range(3):
        adam.zero_grad()
        quadratic(on, torch.zeros(2)).backward()
        adam.step(0.1)
    assert torch.equal(off.detach(), torch.ones(2))
    assert adam.counts == {"on": 3}
    # Its first own update is a whole step, however long the training has lasted.
    adam.zero_grad()
    (off.sum() * 1e-3).backward()
    adam.weight_decay = 0.0
    adam.step(0.1)
    assert torch.allclose(off.detach(), torch.full((2,), 0.9), atol=1e-5)


def test_entries_outside_the_part_in_use_do_not_move():
    weight = nn.Parameter(torch.ones(4, 4))
    adam = Adam({"w": weight}, weight_decay=0.1)
    part = (slice(0, 2), slice(0, 2))
    for _ in range(3):
        adam.zero_grad()
        (weight[part] ** 2).sum().backward()
        adam.step(0.1, active_slices={"w": [part]})
    assert (weight.detach()[2:] == 1).all()
    assert (weight.detach()[:, 2:] == 1).all()
    assert (weight.detach()[part] < 1).all()


def test_a_transform_sees_the_final_update():
    weight = nn.Parameter(torch.ones(2, 2))
    adam = Adam({"w": weight}, weight_decay=0.3)
    weight.sum().backward()
    seen = {}
    adam.step(0.1, lambda updates: seen.update(updates) or {name: 0 * value for name, value in updates.items()})
    assert torch.allclose(seen["w"], torch.full((2, 2), 1.3), atol=1e-5)  # a unit step and the decay of weight 1
    assert torch.equal(weight.detach(), torch.ones(2, 2))


def test_state_goes_there_and_back():
    def run(steps, adam, weight):
        for _ in range(steps):
            adam.zero_grad()
            quadratic(weight, torch.zeros(3)).backward()
            adam.step(0.1)

    one = nn.Parameter(torch.arange(3.0))
    whole = Adam({"w": one})
    run(6, whole, one)
    two = nn.Parameter(torch.arange(3.0))
    first = Adam({"w": two})
    run(3, first, two)
    second = Adam({"w": two})
    second.load_state_dict(first.state_dict())
    run(3, second, two)
    assert torch.equal(one.detach(), two.detach())
    with pytest.raises(TrainingError):
        second.load_state_dict({"w": torch.zeros(3)})
    with pytest.raises(TrainingError):
        second.load_state_dict({"first/w": torch.zeros(3)})


def test_settings_out_of_range_are_refused():
    with pytest.raises(SettingsError):
        Adam({}, decay=1.0)
    with pytest.raises(SettingsError):
        Adam({}, momentum=-0.1)
