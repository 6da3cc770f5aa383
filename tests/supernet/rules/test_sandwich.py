from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from evonas import build, load_space
from evonas.errors import SettingsError
from evonas.supernet import RuleContext, SupernetSettings, train_supernet
from evonas.supernet.rules.sandwich import Sandwich
from evonas.supernet.sampling import SpaceSampler


def setting_of(space, network=None):
    network = network or torch.nn.Module()
    network.space = space
    return RuleContext(network, SpaceSampler(space), space.path, steps=10)


def test_extremes_are_the_bounds_in_depth_width_kernel_and_resolution():
    space = load_space("mobilenet_v3")
    smallest, largest = space.extremes()
    assert set(largest.depths) == {4}
    assert set(smallest.depths) == {2}
    assert {option for stage in largest.blocks for option in stage} == {"k7e6"}
    assert {option for stage in smallest.blocks for option in stage[:2]} == {"k3e3"}
    macro = load_space("nasbench_macro")
    assert [str(end) for end in macro.extremes()] == ["00000000", "22222222"]


@pytest.mark.parametrize("distill", [True, False])
def test_a_plan_is_the_largest_then_random_ones_and_the_smallest(distill):
    space = load_space("mobilenet_v3")
    smallest, largest = space.extremes()
    plan = Sandwich(setting_of(space), paths=3, distill=distill).plan(np.random.default_rng(0))
    assert plan[0].path == space.path(largest)
    assert plan[-1].path == space.path(smallest)
    assert len(plan) == 5
    assert sum(one.weight for one in plan) == pytest.approx(1)
    assert plan[0].teacher is None
    assert {one.teacher for one in plan[1:]} == {plan[0].path if distill else None}


def test_one_update_has_the_gradient_of_labels_and_of_the_largest_paths_outputs():
    """The whole update is computed again by hand: its direction under plain gradient descent."""
    from types import SimpleNamespace

    space = load_space("nasbench_macro")
    skeleton = space.skeleton("small", resolution=8, in_channels=1, classes=3, width=0.1)
    generator = torch.Generator().manual_seed(0)
    part = SimpleNamespace(
        images=torch.randint(0, 256, (8, 1, 8, 8), generator=generator).to(torch.uint8), labels=torch.arange(8) % 3
    )
    data = SimpleNamespace(train=part, fingerprint="x", normalize=lambda x: x.float() / 127.5 - 1.0)
    network, twin = build(space, skeleton).double(), build(space, skeleton).double()
    rows = []
    train_supernet(
        network,
        data,
        lambda context: Sandwich(context, paths=0),
        SupernetSettings(epochs=1, batch_size=8, optimizer="sgd", lr=0.1, momentum=0.0, weight_decay=0.0, clip=None),
        augment=lambda x, g: rows.append(x) or x,
    )
    smallest, largest = (space.path(end) for end in space.extremes())
    order = [next(i for i, known in enumerate(part.images) if known.equal(image)) for image in rows[0]]
    images, labels = data.normalize(rows[0]).double(), part.labels[order]
    teacher = twin(images, largest)
    loss = F.cross_entropy(teacher, labels)
    loss = 0.5 * loss + 0.5 * F.cross_entropy(twin(images, smallest), teacher.detach().softmax(-1))
    loss.backward()
    for (name, ours), theirs in zip(network.named_parameters(), twin.parameters(), strict=True):
        step = torch.zeros_like(theirs) if theirs.grad is None else theirs.grad
        torch.testing.assert_close(ours, theirs - 0.1 * step, rtol=1e-7, atol=1e-9, msg=name)


def test_cells_have_no_largest_path():
    with pytest.raises(SettingsError, match="space of stages"):
        Sandwich(setting_of(load_space("darts")))
