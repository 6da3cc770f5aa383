"""Measured truth: every row builds, and costs what its table says."""

from __future__ import annotations

import csv
import gzip
import json

import numpy as np
import pytest
import torch

from evonas.networks import build
from evonas.spaces import load_space

SAMPLE = 24


def rows(path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def some(items: list, n: int = SAMPLE) -> list:
    return [items[i] for i in np.random.default_rng(0).choice(len(items), n, replace=False)]


class Additive:
    """Parameters as a sum over a path, from the supernet's candidates: what makes thousands of rows quick."""

    def __init__(self, space, skeleton) -> None:
        self.space, self.skeleton = space, skeleton
        with torch.device("meta"):
            supernet = build(space, skeleton)
            self.table: dict[str, int] = {}
            for _, slot in supernet.slots():
                for option in slot.options:
                    entry = f"{slot.decision}.{option}"
                    own = sum(p.numel() for p in slot.candidate(option).parameters())
                    self.table[entry] = self.table.get(entry, 0) + own
        self.fixed = 0
        architecture = space.decode([0] * len(space.choices))
        self.fixed = self.built(architecture) - self(architecture)

    def __call__(self, architecture) -> int:
        return self.fixed + sum(self.table.get(entry, 0) for entry in self.space.path(architecture))

    def built(self, architecture) -> int:
        with torch.device("meta"):
            network = build(self.space, self.skeleton, architecture)
        return sum(p.numel() for p in network.parameters())


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


def test_parameters_of_all_macro_networks_add_up(truth):
    space = load_space("nasbench_macro")
    additive = Additive(space, space.skeleton("cifar"))
    for row in rows(truth / "nasbench_macro.csv.gz"):
        assert additive(space.parse(row["arch"])) == int(row["params"])


def test_parameters_of_all_once_for_all_networks_add_up(truth):
    space = load_space("mobilenet_v3")
    additive = Additive(space, space.skeleton("imagenet"))
    for row in rows(truth / "ofa_mbv3_imagenet.csv.gz"):
        text = json.dumps({name: [int(v) for v in row[name].split()] for name in ("ks", "e", "d")})
        assert additive(space.parse(text)) == int(row["params"])


def closed_form(text: str, resolution: int = 32, classes: int = 10) -> tuple[int, int]:
    """Parameters and multiply-adds of a NAS-Bench-201 cell from its counts of convolutions."""
    n3, n1 = text.count("nor_conv_3x3"), text.count("nor_conv_1x1")
    params = 464 + 128 + 65 * classes
    macs = 27 * 16 * resolution**2 + 64 * classes
    for i, c in enumerate((16, 32, 64)):
        params += 5 * (n3 * (9 * c * c + 2 * c) + n1 * (c * c + 2 * c))
        macs += 5 * (9 * n3 + n1) * c * c * (resolution >> i) ** 2
    for i, (c_in, c_out) in enumerate(((16, 32), (32, 64)), 1):
        params += 9 * c_in * c_out + 9 * c_out**2 + c_in * c_out + 4 * c_out
        macs += (10 * c_in * c_out + 9 * c_out**2) * (resolution >> i) ** 2
    return params, macs


def test_parameters_of_all_nas_bench_201_cells(truth):
    space = load_space("nasbench201")
    additive = Additive(space, space.skeleton("cifar"))
    table = rows(truth / "nasbench201.csv.gz")
    assert len(table) == space.size
    for row in table:
        params, _ = closed_form(row["arch"])
        assert params == round(float(row["c10_params_M"]) * 1e6)
        assert additive(space.parse(row["arch"])) == params


def test_some_nas_bench_201_networks(truth, count):
    space = load_space("nasbench201")
    for row in some(rows(truth / "nasbench201.csv.gz")):
        architecture = space.parse(row["arch"])
        assert count(space, space.skeleton("cifar"), architecture) == closed_form(row["arch"])


@pytest.mark.slow
def test_all_nas_bench_201_networks(truth):
    space = load_space("nasbench201")
    additive = Additive(space, space.skeleton("cifar"))
    for row in rows(truth / "nasbench201.csv.gz"):
        assert additive.built(space.parse(row["arch"])) == closed_form(row["arch"])[0]


def test_some_open_genotypes_build(truth):
    space = load_space("darts_open")
    additive = Additive(space, space.skeleton("search"))
    for row in some(rows(truth / "darts500_cifar10.csv.gz")):
        architecture = space.parse(row["genotype"])
        assert additive.built(architecture) == additive(architecture)


@pytest.mark.slow
def test_all_open_genotypes_build(truth):
    space = load_space("darts_open")
    additive = Additive(space, space.skeleton("search"))
    for row in rows(truth / "darts500_cifar10.csv.gz"):
        architecture = space.parse(row["genotype"])
        assert additive.built(architecture) == additive(architecture)
