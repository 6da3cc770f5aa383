"""Measured truth: every row builds, and costs what its table says."""

from __future__ import annotations

import csv
import gzip
import json

import numpy as np
import pytest
import torch
from torch import nn

from evonas.networks import build, import_lhd
from evonas.networks.lhd import POLICIES
from evonas.spaces import CellWeights, Step, load_space

SAMPLE = 4
EVERY = 20
"""Of the rows whose costs are summed; slow tests take them all."""


def rows(path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def some(items: list, n: int = SAMPLE) -> list:
    return [items[i] for i in np.random.default_rng(0).choice(len(items), n, replace=False)]


class Additive:
    """Parameters and multiply-adds as sums over a path: what makes thousands of rows quick to check."""

    def __init__(self, space, skeleton, count) -> None:
        self.space, self.skeleton, self.count = space, skeleton, count
        with torch.device("meta"):
            supernet = build(space, skeleton).eval()
        shapes: dict[str, torch.Size] = {}
        for name, slot in supernet.slots():
            for module in slot.values():
                module.register_forward_pre_hook(lambda _, x, at=name: shapes.__setitem__(at, x[0].shape))
        side = skeleton.resolution
        with torch.device("meta"), torch.no_grad():
            for path in supernet.coverage():
                supernet(torch.zeros(1, 3, side, side), path)
            self.table: dict[str, np.ndarray] = {}
            for name, slot in supernet.slots():
                for option in slot.options:
                    entry = Step(slot.decision, option)
                    cost = self._cost(slot.candidate(option), torch.zeros(shapes[name]))
                    self.table[entry] = self.table.get(entry, 0) + cost
        architecture = space.decode([0] * len(space.choices))
        self.fixed = np.zeros(2, dtype=np.int64)
        self.fixed = np.array(count(space, skeleton, architecture)) - self(architecture)

    def __call__(self, architecture) -> np.ndarray:
        return self.fixed + sum(self.table.get(step._replace(repeat=0), 0) for step in self.space.path(architecture))

    @staticmethod
    def _cost(module: nn.Module, images: torch.Tensor) -> np.ndarray:
        macs = 0

        def hook(layer: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
            nonlocal macs
            macs += output[0].numel() * layer.weight[0].numel()

        for layer in module.modules():
            if isinstance(layer, nn.Conv2d):
                layer.register_forward_hook(hook)
        module(images)
        return np.array([sum(p.numel() for p in module.parameters()), macs], dtype=np.int64)


def macro(truth, count, sample):
    space = load_space("nasbench_macro")
    skeleton = space.skeleton("cifar")
    for row in sample(rows(truth / "nasbench_macro.csv.gz")):
        expected = (int(row["params"]), int(row["flops"]))
        assert count(space, skeleton, space.parse(row["arch"])) == expected, row["arch"]


def ofa(truth, count, sample):
    space = load_space("mobilenet_v3")
    for row in sample(rows(truth / "ofa_mbv3_imagenet.csv.gz")):
        text = json.dumps({name: [int(v) for v in row[name].split()] for name in ("ks", "e", "d")})
        skeleton = space.skeleton("imagenet", resolution=int(row["r"]))
        expected = (int(row["params"]), int(row["macs"]))
        assert count(space, skeleton, space.parse(text)) == expected, text


def test_some_macro_networks(truth, count):
    macro(truth, count, some)


def test_some_once_for_all_networks(truth, count):
    ofa(truth, count, some)


@pytest.mark.slow
def test_all_macro_networks(truth, count):
    macro(truth, count, list)


@pytest.mark.slow
def test_all_once_for_all_networks(truth, count):
    ofa(truth, count, list)


every = pytest.mark.parametrize("every", [EVERY, pytest.param(1, marks=pytest.mark.slow)])


@every
def test_costs_of_macro_networks_add_up(truth, count, every):
    space = load_space("nasbench_macro")
    additive = Additive(space, space.skeleton("cifar"), count)
    table = rows(truth / "nasbench_macro.csv.gz")
    assert len(table) == space.size
    for row in table[::every]:
        assert str(space.parse(row["arch"])) == row["arch"]
        assert tuple(additive(space.parse(row["arch"]))) == (int(row["params"]), int(row["flops"]))


@every
def test_costs_of_once_for_all_networks_add_up(truth, count, every):
    space = load_space("mobilenet_v3")
    additive: dict[int, Additive] = {}
    for row in rows(truth / "ofa_mbv3_imagenet.csv.gz")[::every]:
        side = int(row["r"])
        if side not in additive:
            additive[side] = Additive(space, space.skeleton("imagenet", resolution=side), count)
        text = json.dumps({name: [int(v) for v in row[name].split()] for name in ("ks", "e", "d")})
        architecture = space.parse(text)
        assert str(architecture) == text
        assert tuple(additive[side](architecture)) == (int(row["params"]), int(row["macs"]))


def closed_form(text: str, cells: int = 5, resolution: int = 32, classes: int = 10) -> tuple[int, int]:
    """Parameters and multiply-adds of a NAS-Bench-201 cell from its counts of convolutions."""
    n3, n1 = text.count("nor_conv_3x3"), text.count("nor_conv_1x1")
    params = 464 + 128 + 65 * classes
    macs = 27 * 16 * resolution**2 + 64 * classes
    for i, c in enumerate((16, 32, 64)):
        params += cells * (n3 * (9 * c * c + 2 * c) + n1 * (c * c + 2 * c))
        macs += cells * (9 * n3 + n1) * c * c * (resolution >> i) ** 2
    for i, (c_in, c_out) in enumerate(((16, 32), (32, 64)), 1):
        params += 9 * c_in * c_out + 9 * c_out**2 + c_in * c_out + 4 * c_out
        macs += (10 * c_in * c_out + 9 * c_out**2) * (resolution >> i) ** 2
    return params, macs


@every
def test_costs_of_nas_bench_201_cells(truth, count, every):
    space = load_space("nasbench201")
    additive = Additive(space, space.skeleton("cifar"), count)
    table = rows(truth / "nasbench201.csv.gz")
    assert len(table) == space.size
    for row in table[::every]:
        params, macs = closed_form(row["arch"])
        assert params == round(float(row["c10_params_M"]) * 1e6)
        assert tuple(additive(space.parse(row["arch"]))) == (params, macs)


def test_some_nas_bench_201_networks(truth, count):
    space = load_space("nasbench201")
    for row in some(rows(truth / "nasbench201.csv.gz")):
        architecture = space.parse(row["arch"])
        assert count(space, space.skeleton("cifar"), architecture) == closed_form(row["arch"])


@pytest.mark.slow
def test_all_nas_bench_201_networks_build(truth):
    # One cell per stage: with five, and run, all would take an hour; the sums above check what these cost.
    space = load_space("nasbench201")
    skeleton = space.skeleton("cifar", cells=1)
    for row in rows(truth / "nasbench201.csv.gz"):
        architecture = space.parse(row["arch"])
        assert str(architecture) == row["arch"]
        with torch.device("meta"):
            network = build(space, skeleton, architecture)
        assert sum(p.numel() for p in network.parameters()) == closed_form(row["arch"], cells=1)[0]


def open_genotypes(truth, count, sample):
    space = load_space("darts_open")
    additive = Additive(space, space.skeleton("search"), count)
    for row in sample(rows(truth / "darts500_cifar10.csv.gz")):
        architecture = space.parse(row["genotype"])
        assert space.parse(str(architecture)) == architecture
        assert count(space, space.skeleton("search"), architecture) == tuple(additive(architecture))


def test_some_open_genotypes_build(truth, count):
    open_genotypes(truth, count, some)


@pytest.mark.slow
def test_all_open_genotypes_build(truth, count):
    open_genotypes(truth, count, list)


def lhd(truth, count, sample, policies):
    with np.load(truth / "lhd_alphas.npz", allow_pickle=False) as file:
        content = {name: file[name] for name in file.files}
    for i in sample(range(len(content["source_file"]))):
        normal = CellWeights(content["normal_ops"][i], content["out3"][i])
        reduce = CellWeights(content["reduce_ops"][i], content["out4"][i])
        for policy in policies:
            space, architecture, skeleton = import_lhd(normal, reduce, policy)
            assert space.parse(str(architecture)) == architecture
            params, macs = count(space, skeleton.replace(cells=3), architecture)
            assert params > 0
            assert macs > 0


def test_some_lhd_weights_build(truth, count):
    lhd(truth, count, some, ("Base", "3ops", "4out"))


@pytest.mark.slow
def test_all_lhd_weights_build(truth, count):
    lhd(truth, count, list, POLICIES)
