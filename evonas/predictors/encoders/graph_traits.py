"""Traits of computation graphs: those of networks that are known by an ONNX file alone."""

from __future__ import annotations

import math

import numpy as np

from evonas.graphs.computation_graph import ComputationGraph
from evonas.graphs.primitive import Primitive
from evonas.predictors.encoders.traits import BlockTraits, LayerTraits, TraitStep, network_traits

__all__ = ["graph_traits"]

ACTIVE = frozenset(
    {"relu", "relu6", "clip", "tanh", "hard_swish", "swish", "gelu", "leaky_relu", "elu", "prelu"}
)  # fmt: skip
"""Operations that are nonlinearities; sigmoids are gates."""


def graph_traits(graph: ComputationGraph) -> np.ndarray:
    """Return the `TRAITS` of a network, float64 of shape ``(len(TRAITS),)``.

    Sums of traits are those of block graphs; nonlinearities count once where several operations read one.

    Args:
        graph: Its computation graph, of images with one input.
    """
    first = next((number for number, node in enumerate(graph.nodes) if node.name == "input"), 0)
    area = _area(graph.nodes[first].result)
    steps, end = [], first
    for number, (node, reads) in enumerate(zip(graph.nodes, graph.reads, strict=True)):
        if node.name == "input":
            continue
        if node.name == "output":
            end = reads[0] if reads else first
            continue
        if node.name == "mul" and reads:  # what a gate is computed from is no way: the larger value passes
            reads = (max(reads, key=lambda source: math.prod(graph.nodes[source].result)),)
        sources = tuple(_value(source, first) for source in reads)
        size = math.prod(node.result)
        steps.append(TraitStep(_block(node), sources, _value(number, first), size, _area(node.source)))
    return network_traits(steps, _value(end, first), area)


def _value(number: int, first: int) -> int:
    """Return the number of a node's value, 0 for the image."""
    return 0 if number == first else number + 1


def _area(shape: tuple[int, ...]) -> int:
    return math.prod(shape[1:]) if shape else 1


def _block(node: Primitive) -> BlockTraits:
    kernel = max(node.kernel, default=1)
    dilation = max(node.dilation, default=1)
    reach = (kernel - 1) * dilation if _area(node.source) > 1 else 0
    if not node.weights:
        return BlockTraits(activations=int(node.name in ACTIVE), reach=reach if node.kernel else 0)
    return BlockTraits((LayerTraits(kernel, node.flops, node.weights, _area(node.result)),), 0, 1, 1.0, 1.0, reach)
