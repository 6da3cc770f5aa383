from __future__ import annotations

import pytest
import torch

from evonas.errors import EvaluationError
from evonas.networks import build
from evonas.objectives.cost.graph_builder import GraphBuilder
from evonas.objectives.cost.symbolic import SymbolicTensor
from evonas.objectives.cost.trace import NORMS, trace
from evonas.spaces import Space


@pytest.mark.parametrize("canonical", [True, False])
def test_a_block_graph_runs_what_the_network_runs_in_its_order(canonical: bool, space: Space, draw):
    skeleton = space.skeleton("small", in_channels=3, classes=10)
    graphs = GraphBuilder(space, skeleton)
    for form in draw(space, 3, canonical=canonical, seed=6):
        with torch.device("meta"):
            network = build(space, skeleton, form).eval()
        whole = trace(network, [(1, 3, skeleton.resolution, skeleton.resolution)])
        steps = graphs(form).steps
        pieces = [operation for step in steps for operation in step.block.trace.operations]
        assert [(o.name, o.size) for o in pieces] == [(o.name, o.size) for o in whole.operations]
        assert sum(step.block.trace.nodes for step in steps) == sum(
            o.name not in NORMS for o in pieces if "zeros" not in o.name
        )


def test_a_block_graph_is_the_same_after_others_were_drawn(space: Space, draw):
    graphs = GraphBuilder(space, space.skeleton("small", in_channels=3, classes=10))
    forms = draw(space, 4)
    first = [graphs(form) for form in forms]
    again = [graphs(form) for form in reversed(forms)][::-1]
    for a, b in zip(first, again, strict=True):
        assert (a.steps, a.shapes, a.output) == (b.steps, b.shapes, b.output)


def test_keys_of_blocks_do_not_depend_on_the_run(tiny, draw):
    (form,) = draw(tiny.space, 1)
    keys = [[step.block.key for step in GraphBuilder(tiny.space, tiny.skeleton)(form).steps] for _ in range(2)]
    assert keys[0] == keys[1]


def test_the_sizes_of_values_are_those_of_the_network(tiny, draw):
    (form,) = draw(tiny.space, 1)
    block_graph = GraphBuilder(tiny.space, tiny.skeleton)(form)
    assert block_graph.shapes[0] == (1, 1, 8, 8)
    assert block_graph.shapes[block_graph.output] == (1, 10)
    assert block_graph.sizes[0] == 64


def test_a_network_that_does_more_between_its_blocks_is_refused(tiny):
    pen = GraphBuilder(tiny.space, tiny.skeleton)._pen
    with pytest.raises(EvaluationError, match=r"joins its blocks by \+.*got relu"):
        torch.relu(SymbolicTensor(pen, (1, 2, 4, 4)))


def test_summands_must_have_one_shape(tiny):
    pen = GraphBuilder(tiny.space, tiny.skeleton)._pen
    with pytest.raises(RuntimeError, match="broadcast"):
        SymbolicTensor(pen, (1, 2, 4, 4)) + SymbolicTensor(pen, (1, 3, 4, 4))
