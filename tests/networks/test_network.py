"""Supernet and stand-alone network are one class: paths, extraction, slots, initial weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evonas.errors import SettingsError
from evonas.networks import build
from evonas.spaces import Step, load_space, shipped
from tests.conftest import each_space

SPACES = sorted(shipped())


def draw(space, n: int, seed: int = 0):
    return [space.decode(genome) for genome in space.sample(n, np.random.default_rng(seed))]


def images(skeleton, n: int = 2, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, skeleton.in_channels, skeleton.resolution, skeleton.resolution, generator=generator)


def small(space, **changes):
    return space.skeleton("small", **{"resolution": 16, **changes})


@pytest.mark.parametrize("name", SPACES)
def test_extracted_network_equals_its_path(name, check_extraction):
    space = load_space(name)
    check_extraction(build(space, small(space)), draw(space, 4))


@pytest.mark.parametrize("name", each_space())
def test_extracted_weights_are_copies(name):
    space = load_space(name)
    supernet = build(space, small(space))
    before = {key: value.clone() for key, value in supernet.state_dict().items()}
    alone = supernet.extract(draw(space, 1)[0])
    with torch.no_grad():
        for parameter in alone.parameters():
            parameter.add_(1.0)
    assert all(torch.equal(value, before[key]) for key, value in supernet.state_dict().items())
    assert all(parameter.requires_grad for parameter in alone.parameters())


@pytest.mark.parametrize("name", each_space())
def test_path_leaves_other_candidates_without_gradient(name):
    space = load_space(name)
    skeleton = small(space)
    supernet = build(space, skeleton)
    path = space.path(space.canonical(draw(space, 1, seed=3)[0]))
    supernet(images(skeleton), path).sum().backward()
    for slot_name, slot in supernet.slots():
        for option, module in slot.items():
            taken = Step(slot.decision, option) in path or option == "on"
            gradients = [p.grad for p in module.parameters()]
            if not taken:
                assert all(gradient is None for gradient in gradients), (slot_name, option)


@pytest.mark.parametrize("name", SPACES)
def test_paths_name_options_of_slots(name):
    space = load_space(name)
    supernet = build(space, small(space))
    known = {Step(slot.decision, option) for _, slot in supernet.slots() for option in slot.options}
    decisions = {slot.decision for _, slot in supernet.slots()}
    for architecture in draw(space, 20):
        for step in space.path(architecture):
            if step.decision in decisions and not step.option.startswith("after_"):
                assert step._replace(repeat=0) in known


def test_supernet_without_path_is_refused():
    space = load_space("darts")
    skeleton = small(space)
    with pytest.raises(SettingsError, match=r"space\.path"):
        build(space, skeleton)(images(skeleton))


def test_initial_weights_follow_the_seed_alone():
    space = load_space("darts")
    skeleton = small(space)
    architecture = draw(space, 1)[0]
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = build(space, skeleton, architecture, seed=5).state_dict()
    assert torch.equal(torch.random.get_rng_state(), state)
    second = build(space, skeleton, architecture, seed=5).state_dict()
    other = build(space, skeleton, architecture, seed=6).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)
