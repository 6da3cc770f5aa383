from __future__ import annotations

import pytest
import torch
from torch import nn

from evonas.networks import build
from evonas.networks.cell import CellModule
from evonas.networks.mbconv import MBConv
from evonas.spaces import load_space
from evonas.training.drop_path import DropPath, branches


def block() -> MBConv:
    made = MBConv(4, 4, (3,), (2,), 1, activation="relu", se=False, eps=1e-5)
    nn.init.zeros_(made.project["norm"].weight)
    nn.init.ones_(made.project["norm"].bias)  # the branch puts out ones
    return made


def drop(rate: float, seed: int = 0) -> tuple[MBConv, DropPath]:
    made = block()
    dropping = DropPath(made, torch.Generator().manual_seed(seed))
    dropping.rate = rate
    return made, dropping


def test_whole_branches_are_dropped_per_image_and_the_rest_scaled() -> None:
    made, dropping = drop(0.25)
    images = torch.zeros(2000, 4, 2, 2)
    with dropping:
        outputs = made(images).detach().flatten(1)
    values = outputs[:, 0]
    assert torch.equal(outputs, values[:, None].expand_as(outputs))
    torch.testing.assert_close(values.unique(), torch.tensor([0.0, 4 / 3]))
    # Standard deviation of the share of 2,000 draws: 0.0097.
    assert float((values > 0).float().mean()) == pytest.approx(0.75, abs=0.05)


def test_nothing_is_dropped_at_rate_zero_in_evaluation_or_afterwards() -> None:
    ones = torch.ones(64, 4, 2, 2)
    images = torch.zeros(64, 4, 2, 2)
    made, dropping = drop(0.0)
    with dropping:
        assert torch.equal(made(images), ones)
        dropping.rate = 0.5
        assert torch.equal(made.eval()(images), ones)
        assert not torch.equal(made.train()(images), ones)
    assert torch.equal(made(images), ones)


def test_a_block_without_residual_is_left_alone() -> None:
    assert not list(branches(MBConv(4, 8, (3,), (2,), 1, activation="relu", se=False, eps=1e-5)))


def test_every_edge_of_a_cell_but_identities() -> None:
    space = load_space("darts")
    skeleton = space.skeleton("small", resolution=8, in_channels=1, classes=3, channels=4, cells=3)
    node = "('skip_connect', 0), ('max_pool_3x3', 1)"
    cell = ", ".join([node] * 4)
    architecture = space.parse(
        f"Genotype(normal=[{cell}], normal_concat=range(2, 6), reduce=[{cell}], reduce_concat=range(2, 6))"
    )
    network = build(space, skeleton, architecture)
    found = list(branches(network))
    cells = [module for module in network.modules() if isinstance(module, CellModule)]
    # Normal cells: 4 pools, their skips are identities; reduction cells: 4 pools, 4 factorized reductions.
    expected = sum(8 if cell.reduction else 4 for cell in cells)
    assert len(found) == expected
    assert not any(isinstance(module, nn.Identity) for module in found)
