"""Traits of networks: known answers of small graphs, and of networks of the literature."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evonas.objectives.cost.trait_reader import TraitReader
from evonas.predictors.encoders.traits import TRAITS, BlockTraits, LayerTraits, TraitStep, network_traits
from evonas.spaces import load_space

CONV = BlockTraits((LayerTraits(3, 900, 9, 100),), 1, 1, 1.0, 1.0, 2)
PASS = BlockTraits()


def named(traits: np.ndarray) -> dict[str, float]:
    return dict(zip(TRAITS, traits.tolist(), strict=True))


def test_a_residual_has_two_ways_of_which_the_mean_counts():
    steps = [
        TraitStep(CONV, (0,), 1, 100, 100),
        TraitStep(CONV, (1,), 2, 100, 100),
        TraitStep(PASS, (0, 2), 3, 100, 100),
    ]
    found = named(network_traits(steps, 3, 100))
    assert (found["longest"], found["depth"], found["layers"], found["spatial"]) == (2, 1.0, 2, 2)
    assert found["flops"] == pytest.approx(math.log(1800))
    assert found["params"] == pytest.approx(math.log(18))
    assert found["memory"] == pytest.approx(math.log(300))
    assert found["field"] == pytest.approx(math.log(5))
    assert found["kernels"] == pytest.approx(2 * math.log(3))
    assert found["even spatial"] == pytest.approx(math.log(3))
    assert found["activations"] == 2


def test_what_reads_nothing_is_on_no_way():
    zero = BlockTraits(ways=0.0)
    steps = [TraitStep(zero, (), 1, 100, 1), TraitStep(CONV, (1,), 2, 100, 100), TraitStep(PASS, (0, 2), 3, 100, 100)]
    assert named(network_traits(steps, 3, 100))["longest"] == 0
    assert named(network_traits(steps[:2], 2, 100))["depth"] == 0


def test_a_stride_widens_the_field_of_what_follows():
    small = BlockTraits((LayerTraits(3, 225, 9, 25),), 0, 1, 1.0, 1.0, 2)
    steps = [TraitStep(small, (0,), 1, 25, 100), TraitStep(small, (1,), 2, 25, 25)]
    assert named(network_traits(steps, 2, 100))["field"] == pytest.approx(math.log(1 + 2 + 4))


@pytest.mark.parametrize(
    ("space", "text", "known"),
    [
        # Stem, seven identities of which three are 1x1 convolutions, head and classifier.
        ("nasbench_macro", "00000000", {"longest": 6, "depth": 6, "layers": 6, "spatial": 1, "activations": 2}),
        # Each MBConv adds three layers; behind the first of a stage a residual leaves them out on every other way.
        ("nasbench_macro", "11000000", {"longest": 11, "depth": 9.5, "layers": 11, "spatial": 3, "activations": 6}),
        # Stem, two residual blocks of two layers beside one, classifier; the cells pass their input on.
        (
            "nasbench201",
            "|skip_connect~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|",
            {"longest": 6, "layers": 8},
        ),
    ],
)
def test_networks_of_the_literature(space, text, known):
    opened = load_space(space)
    architecture = opened.canonical(opened.parse(text))
    found = named(TraitReader(opened, opened.literature_skeleton())([architecture])[0])
    assert {name: found[name] for name in known} == known


@pytest.mark.parametrize("name", ["nasbench201", "nasbench_macro"])
def test_flops_are_those_of_the_cost_tables(name):
    from evonas.objectives import Context
    from evonas.objectives.cost.cost import CostEvaluator

    space = load_space(name)
    skeleton = space.skeleton("small")
    forms = [space.canonical(space.decode(genome)) for genome in space.sample(5, np.random.default_rng(3))]
    costs = [CostEvaluator(Context(space, skeleton)).cost(form)[0] for form in forms]
    read = TraitReader(space, skeleton)(forms)[:, TRAITS.index("flops")]
    assert np.exp(read) == pytest.approx(np.array(costs, dtype=float))
