"""Computation graphs as arrays: numbers of their nodes and edges, many graphs in one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from evonas.graphs import OPERATIONS, ComputationGraph, Primitive
from evonas.predictors.encoders.spans import taken_spans

__all__ = ["FIELDS", "LABELS", "GraphArrays", "graph_arrays"]

LABELS = len(OPERATIONS) + 1
"""Labels of nodes: the operations that are told apart, and one for all others."""
FIELDS = (
    "channels in", "channels out", "height in", "height out", "width in", "width out", "kernel height",
    "kernel width", "stride height", "stride width", "dilation", "channels per group", "flops", "weights",
)  # fmt: skip
"""Numbers of a node, each as log2(1 + x)."""
_LABEL = {name: number for number, name in enumerate(OPERATIONS)}
_ROWS: dict[Primitive, tuple[float, ...]] = {}


@dataclass(frozen=True)
class GraphArrays:
    """Several graphs in one: nodes and edges of all, one after the other.

    Attributes:
        labels: Label of every node, int64 of shape ``(nodes,)``; the last of `LABELS` is any other operation's.
        numbers: `FIELDS` of every node, float32 of shape ``(nodes, 14)``.
        edges: From and to, int64 of shape ``(edges, 2)``, numbered within each graph.
        nodes: Graph i has the nodes ``nodes[i]:nodes[i + 1]``, int64 of shape ``(n + 1,)``.
        starts: Graph i has the edges ``starts[i]:starts[i + 1]``, likewise.
    """

    labels: np.ndarray
    numbers: np.ndarray
    edges: np.ndarray
    nodes: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.nodes) - 1

    def __getitem__(self, rows: np.ndarray) -> Self:
        """Return some graphs, in that order."""
        rows = np.arange(len(self))[rows]
        node, nodes = taken_spans(self.nodes, rows)
        edge, starts = taken_spans(self.starts, rows)
        return type(self)(self.labels[node], self.numbers[node], self.edges[edge], nodes, starts)

    @property
    def graph_of(self) -> np.ndarray:
        """Number of the graph that each node belongs to, int64 of shape ``(nodes,)``."""
        numbers: np.ndarray = np.repeat(np.arange(len(self)), np.diff(self.nodes))
        return numbers

    @property
    def joined_edges(self) -> np.ndarray:
        """Edges with nodes numbered throughout, int64 of shape ``(edges, 2)``."""
        shifts: np.ndarray = np.repeat(self.nodes[:-1], np.diff(self.starts))
        joined: np.ndarray = self.edges + shifts[:, None]
        return joined


def graph_arrays(graphs: Sequence[ComputationGraph]) -> GraphArrays:
    """Return graphs as arrays, one or more of them."""
    nodes = [node for graph in graphs for node in graph.nodes]
    return GraphArrays(
        labels=np.array([_LABEL.get(node.name, LABELS - 1) for node in nodes], dtype=np.int64),
        numbers=np.array([_numbers(node) for node in nodes], dtype=np.float32).reshape(-1, len(FIELDS)),
        edges=np.concatenate([graph.edges for graph in graphs]),
        nodes=np.concatenate([[0], np.cumsum([len(graph) for graph in graphs])]).astype(np.int64),
        starts=np.concatenate([[0], np.cumsum([len(graph.edges) for graph in graphs])]).astype(np.int64),
    )


def _numbers(node: Primitive) -> tuple[float, ...]:
    found = _ROWS.get(node)
    if found is None:
        source, result = (*node.source, 1, 1, 1), (*node.result, 1, 1, 1)
        kernel, stride, dilation = ((*sizes, *sizes, 0, 0)[:2] for sizes in (node.kernel, node.stride, node.dilation))
        per_group = source[0] / node.groups if node.weights else 0
        values = (
            source[0], result[0], source[1], result[1], source[2], result[2], *kernel, *stride, dilation[0],
            per_group, node.flops, node.weights,
        )  # fmt: skip
        found = _ROWS[node] = tuple(math.log2(1 + value) for value in values)
    return found
