"""Stages whose blocks all run one operation: MnasNet's space, its texts, its genome and its costs."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import torch

from evonas.errors import SpaceError
from evonas.networks import build
from evonas.spaces import load_space, shipped
from evonas.spaces.toml import read_space

KNOWN = [  # Accel-NASBench: expansions, kernels, layers, squeezes; published parameters and multiply-adds in millions
    ([6, 4, 6, 6, 6, 1, 1], [3, 5, 3, 5, 5, 3, 3], [1, 2, 3, 3, 2, 2, 2], 2.50116, 415.361072),
    ([6, 1, 6, 6, 4, 6, 4], [3, 5, 3, 3, 3, 5, 5], [1, 3, 2, 1, 2, 1, 2], 3.44436, 372.73264),
    ([4, 4, 1, 4, 4, 4, 4], [3, 5, 5, 3, 3, 5, 5], [1, 3, 1, 1, 2, 3, 3], 4.831376, 411.667648),
]
TEXT = json.dumps({"e": KNOWN[0][0], "k": KNOWN[0][1], "l": KNOWN[0][2], "se": [True, False] * 3 + [True]})


@pytest.mark.parametrize("known", KNOWN)
def test_parameters_are_the_published_ones(known):
    space = load_space("mnasnet")
    architecture = space.parse(str([*known[:3], [False] * 7]))
    with torch.device("meta"):
        network = build(space, space.literature_skeleton(), architecture)
    assert sum(p.numel() for p in network.parameters()) == round(known[3] * 1e6)


def test_a_gate_squeezes_to_a_quarter_of_the_channels_before_the_expansion():
    space = load_space("mnasnet")
    rows = [[1] * 7, [3] * 7, [1] * 7]
    with torch.device("meta"):
        plain, gated = (
            build(space, space.literature_skeleton(), space.parse(str([*rows, [se] * 7]))) for se in (False, True)
        )
    added = sum(p.numel() for p in gated.parameters()) - sum(p.numel() for p in plain.parameters())
    assert added == sum(2 * c * (c // 4) + c // 4 + c for c in (32, 16, 24, 40, 80, 112, 192))


def test_its_size_is_counted():
    space = load_space("mnasnet")
    assert space.size == (3 * 2 * 2 * 3) ** 6 * (3 * 2 * 2 * 4) == 104_485_552_128
    assert space.choices[0] == "stage0.operation"
    assert len(space.choices) == 14


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace("true", "True").replace("false", "False"),
        str(list(json.loads(TEXT).values())),
        json.dumps({f"block{i}_{name}": row[i] for name, row in json.loads(TEXT).items() for i in range(7)}),
    ],
)
def test_texts_are_read_as_others_write_them(text: str):
    assert str(load_space("mnasnet").parse(text)) == TEXT


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.replace("[6, 4, 6", "[6, 4, 3"), "one of k3e1, .*got 'k3e3s'"),
        (TEXT.replace("[true, false", "[2, false"), "one of k3e1, .*got 'k3e6s2'"),
        (TEXT.replace("[1, 2, 3, 3", "[1, 2, 3, 4"), "a depth of .1, 2, 3., got 4"),
        (TEXT.replace("[6, 4, 6", "[4, 6"), "expected 7 whole numbers in 'e'"),
        (TEXT.replace('"se"', '"gate"'), "expected the fields e, k, l, se"),
    ],
)
def test_what_is_no_member_is_refused(text: str, message: str):
    with pytest.raises(SpaceError, match=message):
        load_space("mnasnet").parse(text)


def test_blocks_of_a_stage_run_one_operation():
    space = load_space("mnasnet")
    architecture = space.parse(TEXT)
    mixed = [list(stage) for stage in architecture.blocks]
    mixed[2][1] = "k3e1"
    with pytest.raises(SpaceError, match="all blocks of stage 2 run one operation, got k3e6"):
        space.assemble(mixed, architecture.depths)


def test_genomes_round_trip_and_every_string_is_as_likely():
    space = load_space("mnasnet")
    genomes = space.sample(4000, np.random.default_rng(0))
    assert all((space.encode(space.decode(genome)) == genome).all() for genome in genomes[:50])
    for gene, options in enumerate(space.cardinalities):  # 5 standard deviations
        counts = np.bincount(genomes[:, gene], minlength=options)
        assert (abs(counts - 4000 / options) < 5 * np.sqrt(4000 / options)).all(), space.choices[gene]


def small() -> str:
    """Return the file with two free stages of two operations: few enough to enumerate."""
    text = shipped()["mnasnet"].read_text().replace("1, 2, 3, 4]", "4]").replace("[1, 2, 3]", "[3]", 5)
    head, *stages = text.split("[[stages]]")
    names = stages[0][stages[0].index("operations") :].split("]")[0] + "]"
    few = [stage.replace(names, 'operations = ["k3e1", "k5e6_se"]') for stage in stages]
    few[:5] = [stage.replace('"k3e1", "k5e6_se"', '"k3e1"') for stage in few[:5]]
    return "[[stages]]".join([head, *few])


def test_sums_over_its_blocks_are_those_of_all_strings():
    space = read_space(small(), "small.toml")

    def costs(architecture) -> np.ndarray:
        worth = {"k3e1": 1.0, "k5e6s": 10.0}
        stages = zip(architecture.blocks, architecture.depths, (1.0, 7.0), strict=True)
        return np.array([sum(scale * worth[option] for blocks, depth, scale in stages for option in blocks[:depth])])

    every = sorted(
        float(costs(space.decode(genome))[0]) for genome in itertools.product(*map(range, space.cardinalities))
    )
    assert space.size == len(every) == 2 * 2 * 3
    assert sorted(space.sums(costs, lambda rows: rows)[:, 0].tolist()) == every


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("uniform = true\n", "", "one operation and a depth for each stage: uniform = true"),
        (
            'k3e4 = { kind = "mbconv", kernel = 3, expand = 4 }',
            'k3e4 = { kind = "mbconv", kernel = 3, expand = 6 }',
            "distinguishes operations by kernel, expansion and squeeze",
        ),
        ("[[stages]]", '[[stages]]\nfirst = ["k3e1"]', "uniform: belongs to"),
    ],
)
def test_the_form_says_what_it_cannot_hold(old: str, new: str, message: str):
    with pytest.raises(SpaceError, match=message):
        read_space(shipped()["mnasnet"].read_text().replace(old, new, 1), "other.toml")
