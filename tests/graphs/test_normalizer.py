from __future__ import annotations

import copy

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evonas.graphs import ComputationGraph, GraphNormalizer
from evonas.graphs.primitive import primitive

SHAPE = (4, 8, 8)
KINDS = (
    primitive("conv", SHAPE, SHAPE, (3, 3), (1, 1), (1, 1)),
    primitive("relu", SHAPE, SHAPE),
    primitive("avg_pool", SHAPE, SHAPE, (3, 3), (1, 1), (1, 1)),
    primitive("add", SHAPE, SHAPE),
    primitive("mul", SHAPE, SHAPE),
    primitive("sigmoid", SHAPE, SHAPE),
)
Steps = list[tuple[int, int, int]]
"""Kind of each step, and which values made before it reads."""


def built(steps: Steps, order: list[int] | None = None) -> ComputationGraph:
    """Build a graph, its steps in another order if one is given, in which each can run."""
    builder = GraphNormalizer()
    place = {0: builder.input(SHAPE)}
    for number in order or range(1, len(steps) + 1):
        kind, first, second = steps[number - 1]
        node = KINDS[kind]
        reads = (place[first], place[second]) if node.name in ("add", "mul") else (place[first],)
        place[number] = builder.add(node, reads)
    return builder.finish([place[len(steps)]])


@st.composite
def step_lists(draw) -> Steps:
    count = draw(st.integers(1, 12))
    return [
        (draw(st.integers(0, 5)), draw(st.integers(max(0, n - 3), n)), draw(st.integers(0, n))) for n in range(count)
    ]


@given(steps=step_lists(), seed=st.integers(0, 99))
def test_any_order_in_which_operations_can_run_gives_one_graph(steps, seed):
    rng = np.random.default_rng(seed)
    waiting, order = list(range(1, len(steps) + 1)), []
    while waiting:
        ready = [n for n in waiting if not {*steps[n - 1][1:]} & {*waiting}]
        order.append(ready[rng.integers(len(ready))])
        waiting.remove(order[-1])
    assert built(steps, order) == built(steps)


@given(steps=step_lists())
def test_every_node_is_needed_and_reads_what_is_before_it(steps):
    graph = built(steps)
    assert all(source < node for source, node in graph.edges)
    read = {source for source, _ in graph.edges.tolist()}
    assert all(number in read for number, node in enumerate(graph.nodes[:-1]) if node.name != "input")
    for number, node in enumerate(graph.nodes):
        if node.name == "add":  # an inner sum that one node reads is part of it
            assert not any(
                graph.nodes[s].name == "add" and (graph.edges[:, 0] == s).sum() == 1 for s in graph.reads[number]
            )


def test_equal_operations_without_weights_are_one_and_partial_sums_are_shared():
    relu, add, conv, pool = 1, 3, 0, 2
    once: Steps = [(relu, 0, 0), (pool, 0, 0), (add, 1, 2), (conv, 3, 0), (add, 3, 4)]
    again: Steps = [
        (relu, 0, 0),
        (pool, 0, 0),
        (add, 2, 1),
        (conv, 3, 0),
        (relu, 0, 0),
        (pool, 0, 0),
        (add, 5, 4),
        (add, 7, 6),
    ]
    assert built(once) == built(again)
    assert built(once).counts == {"relu": 1, "avg_pool": 1, "add": 2, "conv": 1}


def test_concatenations_in_a_row_are_one():
    wide, wider = ((channels, 8, 8) for channels in (8, 12))
    graphs = []
    for nested in (True, False):
        builder = GraphNormalizer()
        image = builder.input(SHAPE)
        a, b = (builder.add(node, (image,)) for node in KINDS[1:3])
        parts = (builder.add(primitive("concat", SHAPE, wide, detail=(1,)), (a, b)),) if nested else (a, b)
        graphs.append(builder.finish([builder.add(primitive("concat", SHAPE, wider, detail=(1,)), (*parts, image))]))
    assert graphs[0] == graphs[1]
    assert graphs[0].counts["concat"] == 1


def test_convolutions_are_never_merged():
    shared: Steps = [(0, 0, 0), (3, 1, 1)]
    apart: Steps = [(0, 0, 0), (0, 0, 0), (3, 1, 2)]
    assert built(shared).counts["conv"] == 1
    assert built(apart).counts["conv"] == 2
    assert built(shared) != built(apart)


def test_equal_primitives_are_one_object_in_copies_too():
    graph = built([(0, 0, 0), (3, 1, 0)])
    copied = copy.deepcopy(graph)  # by the way that other processes get it
    assert copied is not graph
    assert copied.nodes == graph.nodes
    assert primitive("concat", detail=(1,)) is primitive("concat", (), (), detail=(1.0,))
