"""Paths as plain data: what a step is, how steps are named, what is numbered."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from evonas.networks import build
from evonas.spaces import Step, load_space, path_names, shipped
from evonas.spaces.path import BlockDecision, EdgeDecision, InputDecision, OutputDecision, StreamDecision


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (Step(EdgeDecision("normal", 2, 0), "sep_conv_3x3"), "normal.2.0.sep_conv_3x3"),
        (Step(EdgeDecision("normal", 2, 0), "sep_conv_3x3", 1), "normal.2.0.sep_conv_3x3"),
        (Step(InputDecision("reduce", 1), "on"), "reduce.input.1.on"),
        (Step(StreamDecision("normal", "sum", 4), "on"), "normal.sum.4.on"),
        (Step(OutputDecision(), "after_normal_2"), "output.after_normal_2"),
        (Step(BlockDecision(3, 1), "k5e6"), "3.1.k5e6"),
    ],
)
def test_steps_have_names(step, name):
    assert str(step) == name
    assert path_names((step,)) == (name,)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_no_step_comes_twice_and_equal_architectures_have_equal_paths(name):
    space = load_space(name)
    for genome in space.sample(50, np.random.default_rng(0), by="choice"):
        for architecture in (space.decode(genome), space.canonical(space.decode(genome))):
            path = space.path(architecture)
            assert len(set(path)) == len(path)
            assert path == space.path(space.parse(str(architecture))) or architecture.pruned
            assert pickle.loads(pickle.dumps(path)) == path  # noqa: S301  (our own bytes)


def test_an_operation_applied_again_is_a_step_of_its_own_with_the_supernets_one_weight():
    space = load_space("darts_open")
    node = "('sep_conv_3x3', 0), ('sep_conv_3x3', 0)"
    cell = ", ".join([node] * space.definition.cell.nodes)
    architecture = space.parse(
        f"Genotype(normal=[{cell}], normal_concat=[2, 3, 4, 5], reduce=[{cell}], reduce_concat=[2, 3, 4, 5])"
    )
    path = space.path(architecture)
    decision = EdgeDecision("normal", 2, 0)
    assert path[:2] == (Step(decision, "sep_conv_3x3"), Step(decision, "sep_conv_3x3", 1))
    supernet = build(space, space.skeleton("proxy"))
    state = supernet.extract(architecture).state_dict()
    again = [key for key in state if ".sep_conv_3x3__1." in key]
    assert again
    assert all((state[key] == supernet.state_dict()[key.replace("__1", "")]).all() for key in again)
