from __future__ import annotations

import numpy as np
import torch

from evonas.graphs import ComputationGraph
from evonas.predictors.contrastive import embed_graphs
from evonas.predictors.encoders.graph import GraphEncoder
from evonas.predictors.encoders.graph_arrays import FIELDS, graph_arrays
from evonas.predictors.graph_network import GraphBatch, GraphNetwork


def reordered(graph: ComputationGraph, seed: int) -> ComputationGraph:
    """Return the same graph with its nodes in another order in which they can run."""
    rng, order = np.random.default_rng(seed), []
    while len(order) < len(graph):
        ready = [n for n in range(len(graph)) if n not in order and set(graph.reads[n]) <= set(order)]
        order.append(int(ready[rng.integers(len(ready))]))
    place = {old: new for new, old in enumerate(order)}
    reads = tuple(tuple(place[s] for s in graph.reads[old]) for old in order)
    return ComputationGraph(tuple(graph.nodes[old] for old in order), reads)


def test_numbers_of_nodes(graphs):
    arrays = graph_arrays(graphs[:2])
    numbers = 2 ** arrays.numbers.astype(np.float64) - 1
    np.testing.assert_allclose(numbers[: len(graphs[0]), FIELDS.index("flops")].sum(), graphs[0].flops, rtol=1e-6)
    stem = numbers[1]
    names = {name: stem[i].round(3) for i, name in enumerate(FIELDS)}
    assert (names["channels in"], names["kernel height"], names["stride width"]) == (3, 3, 1)
    assert arrays.nodes.tolist() == [0, len(graphs[0]), len(graphs[0]) + len(graphs[1])]


def test_rows_are_taken_in_any_order(graphs):
    arrays = graph_arrays(graphs[:5])
    taken, alone = arrays[np.array([3, 0, 3])], graph_arrays([graphs[3], graphs[0], graphs[3]])
    for name in ("labels", "numbers", "edges", "nodes", "starts", "graph_of", "joined_edges"):
        np.testing.assert_array_equal(getattr(taken, name), getattr(alone, name))
    assert len(taken) == 3


def test_embeddings_do_not_depend_on_order_and_batch(graphs):
    largest = max(graphs, key=len)
    other = reordered(largest, 1)
    assert other.nodes != largest.nodes
    assert other == largest
    network = GraphNetwork()
    together = embed_graphs(network, graph_arrays([largest, other, *graphs[:5]]))
    np.testing.assert_allclose(together[0], together[1], rtol=1e-5, atol=1e-6)
    with torch.no_grad():
        alone = network(GraphBatch(graph_arrays([largest]))).numpy()[0]
    np.testing.assert_allclose(alone, together[0], rtol=1e-5, atol=1e-6)
    different = {graph.key: row for graph, row in zip([largest, other, *graphs[:5]], together, strict=True)}
    rows = np.stack(list(different.values()))
    assert min(np.abs(a - b).max() for i, a in enumerate(rows) for b in rows[:i]) > 1e-4


def test_graphs_are_made_once_for_each_key(graphs):
    made = []

    def graph(genome: np.ndarray) -> ComputationGraph:
        made.append(int(genome[0]))
        return graphs[int(genome[0])]

    encoder = GraphEncoder(graph, lambda genome: int(genome[0]))
    described = encoder.describe(np.array([[1], [2], [1]]))
    encoder.describe(np.array([[2]]))
    assert made == [1, 2]
    fitted = encoder.fit(described)
    np.testing.assert_array_equal(
        fitted.transform(described).labels, graph_arrays([graphs[i] for i in (1, 2, 1)]).labels
    )
