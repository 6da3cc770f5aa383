from __future__ import annotations

import pytest
import torch
from torch import nn

from evonas.errors import SettingsError
from evonas.networks import CellNetwork, build
from evonas.spaces import load_space
from evonas.training.auxiliary import AuxiliaryHead, Tap, auxiliary_head


@pytest.fixture
def network() -> CellNetwork:
    space = load_space("darts")
    skeleton = space.skeleton("small", resolution=8, in_channels=1, classes=3, channels=4, cells=3)
    cell = ", ".join(["('skip_connect', 0), ('max_pool_3x3', 1)"] * 4)
    text = f"Genotype(normal=[{cell}], normal_concat=range(2, 6), reduce=[{cell}], reduce_concat=range(2, 6))"
    made = build(space, skeleton, space.parse(text))
    assert isinstance(made, CellNetwork)
    return made


def test_it_has_the_published_number_of_parameters() -> None:
    head = AuxiliaryHead(576, 8, 10)
    assert sum(parameter.numel() for parameter in head.parameters()) == 476_426


@pytest.mark.parametrize(("side", "stride"), [(8, 3), (7, 2)])
def test_its_pooling_is_the_published_one(side: int, stride: int) -> None:
    maps = torch.rand(2, 4, side, side, generator=torch.Generator().manual_seed(0))
    head = AuxiliaryHead(4, side, 10)
    torch.testing.assert_close(head[1](maps), nn.AvgPool2d(5, stride)(maps))


@pytest.mark.parametrize("side", [1, 2, 3, 5, 6, 14, 28, 29])
def test_any_size_of_map_will_do(side: int) -> None:
    assert AuxiliaryHead(4, side, 10)(torch.rand(2, 4, side, side)).shape == (2, 10)


def test_it_reads_the_cell_at_two_thirds_and_leaves_no_trace(network: CellNetwork) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    tap, drawn = Tap(network), torch.get_rng_state()
    head = auxiliary_head(network, tap, torch.Generator().manual_seed(0))
    assert network.training
    assert torch.equal(torch.get_rng_state(), drawn)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    network(torch.rand(5, 1, 8, 8))
    output = tap.take()
    assert output.shape == (5, 64, 2, 2)  # the last of three cells: four nodes of 4 x 2 x 2 channels
    assert head(output).shape == (5, 3)
    tap.remove()
    network(torch.rand(5, 1, 8, 8))
    assert tap.output is None


def test_a_network_without_cells_is_refused() -> None:
    with pytest.raises(SettingsError, match="set auxiliary = 0"):
        Tap(nn.Conv2d(1, 1, 1))
