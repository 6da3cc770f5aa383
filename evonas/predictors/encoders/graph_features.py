"""Features of computation graphs as one array: Weisfeiler-Lehman labels, hashed, and sums over nodes."""

from __future__ import annotations

import zlib
from collections import Counter

import numpy as np

from evonas.graphs import OPERATIONS, ComputationGraph, Primitive
from evonas.predictors.encoders.text_tokens import hashed_counts

__all__ = ["graph_features", "graph_statistics", "wl_features"]

COLUMNS, ROUNDS = 512, 3


def graph_features(graph: ComputationGraph) -> np.ndarray:
    """Return `graph_statistics` and `wl_features` of a graph, one after the other."""
    return np.concatenate([graph_statistics(graph), wl_features(graph)])


def wl_features(graph: ComputationGraph, columns: int = COLUMNS, rounds: int = ROUNDS) -> np.ndarray:
    """Return log(1 + count) of Weisfeiler-Lehman labels of all rounds, hashed to columns, shape ``(columns,)``.

    A node's first label is its operation with kernel, stride, dilation and whether it has groups, without sizes, so
    that labels carry over between widths and resolutions; each round joins to it the labels of what it reads and of
    what reads it (Shervashidze et al., JMLR 2011). Equal graphs have equal features, whatever the order of nodes.
    """
    labels = [_label(node) for node in graph.nodes]
    readers: list[list[int]] = [[] for _ in graph.nodes]
    for number, sources in enumerate(graph.reads):
        for source in sources:
            readers[source].append(number)
    counts = Counter(labels)
    for _ in range(rounds):
        labels = [
            str(
                zlib.crc32(
                    f"{own}<{sorted([labels[s] for s in sources])}>{sorted([labels[r] for r in after])}".encode()
                )
            )
            for own, sources, after in zip(labels, graph.reads, readers, strict=True)
        ]
        counts.update(labels)
    return hashed_counts(counts, columns)


def graph_statistics(graph: ComputationGraph) -> np.ndarray:
    """Return sums over a graph: FLOPs, weights, nodes, depth, and of each operation the count and share of FLOPs.

    All but shares are as log(1 + x).
    """
    depth = [0] * len(graph)
    layers = [0] * len(graph)
    for number, sources in enumerate(graph.reads):
        depth[number] = 1 + max((depth[source] for source in sources), default=-1)
        layers[number] = max((layers[source] for source in sources), default=0) + (graph.nodes[number].weights > 0)
    weighted = [node for node in graph.nodes if node.weights]
    widths = [node.result[0] for node in weighted] or [0]
    counts, flops = graph.counts, graph.flops
    by_name: Counter[str] = Counter()
    for node in weighted:
        by_name[node.name] += node.flops
    named = [counts[name] for name in OPERATIONS]
    other = sum(graph.unknown.values())
    amounts = [
        flops, sum(node.weights for node in weighted), len(graph), len(graph.edges), max(depth), max(layers),
        max(widths), sum(widths), len(weighted), sum(node.result[0] * _pixels(node) for node in weighted), other,
        *named,
    ]  # fmt: skip
    shares = [by_name[name] / max(flops, 1) for name in ("conv", "depthwise", "linear", "matmul")]
    return np.concatenate([np.log1p(np.array(amounts, dtype=np.float64)), shares])


def _pixels(node: Primitive) -> int:
    return int(np.prod(node.result[1:])) if len(node.result) > 1 else 1


def _label(node: Primitive) -> str:
    grouped = "" if node.groups == 1 else "g"
    return f"{node.name}{node.kernel}{node.stride}{node.dilation}{grouped}"
