"""Cells of each kind that read the image side by side."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from evonas.errors import SettingsError, SpaceError
from evonas.networks import CellNetwork, SideBySide, build
from evonas.spaces import load_space, shipped

FRAMES = {"darts": {"stem": "none"}, "darts_open": {"stem": "conv"}, "lhd": {}}


@pytest.fixture(params=FRAMES)
def made(request):
    """Space and a skeleton with a cell of each kind."""
    space = load_space(request.param)
    return space, space.skeleton("small", apart=(4, 2), resolution=12, **FRAMES[request.param])


def draw(space, n):
    return [space.decode(genome) for genome in space.sample(n, np.random.default_rng(3))]


@pytest.mark.parametrize("head", [True, False])
def test_supernet_holds_every_network(made, head, check_extraction):
    space, skeleton = made
    supernet = build(space, skeleton.replace(head=head))
    assert isinstance(supernet, SideBySide)
    check_extraction(supernet, draw(space, 3))


def test_a_part_is_the_network_of_its_one_cell(made):
    space, skeleton = made
    skeleton = skeleton.replace(head=False)
    (architecture,) = draw(space, 1)
    network = build(space, skeleton, architecture).eval()
    images = torch.randn(2, 3, 12, 12)
    with torch.no_grad():
        features = [part(images) for part in network.parts]
        assert torch.equal(network(images), torch.cat(features, 1))
    normal, reduce = network.parts
    assert [[cell.kind for cell in part.cells] for part in (normal, reduce)] == [["normal"], ["reduce"]]
    assert [[cell.reduction for cell in part.cells] for part in (normal, reduce)] == [[False], [True]]
    published = CellNetwork(space, skeleton.replace(channels=2, cells=1, apart=()), architecture)  # a reduction cell
    assert {k: v.shape for k, v in published.state_dict().items()} == {
        k: v.shape for k, v in reduce.state_dict().items()
    }


def test_each_kind_moves_its_own_part_alone():
    space = load_space("darts")
    skeleton = space.skeleton("small", apart=(4, 2), stem="none", head=False, resolution=12)
    first, second = draw(space, 2)
    mixed = dataclasses.replace(first, cells=(first.cells[0], second.cells[1]))
    parts = [
        [{k: v.shape for k, v in part.state_dict().items()} for part in build(space, skeleton, each).parts]
        for each in (first, mixed, second)
    ]
    assert parts[1] == [parts[0][0], parts[2][1]]
    assert parts[0] != parts[2]


def test_what_has_no_kinds_apart_is_refused(tmp_path):
    space = load_space("nasbench201")
    with pytest.raises(SettingsError, match=r"A skeleton's 'apart' holds channels for each kind of cell of a chain"):
        build(space, space.skeleton("small", apart=(4,)))
    darts = load_space("darts")
    with pytest.raises(SettingsError, match=r"normal, reduce in space 'darts', got \[4\]"):
        build(darts, darts.skeleton("small", apart=(4,)))
    with pytest.raises(SettingsError, match=r"channels in 'apart' are above 0, got \[4, 0\]"):
        darts.skeleton("small", apart=(4, 0))
    for name, written in (("darts", "apart = [4]"), ("nasbench201", "apart = [4]"), ("mobilenet_v3", "apart = [4]")):
        path = tmp_path / f"{name}.toml"
        path.write_text(f"{shipped()[name].read_text()}\n[skeletons.mine]\nresolution = 8\n{written}\n")
        with pytest.raises(SpaceError, match="apart"):
            load_space(path)
