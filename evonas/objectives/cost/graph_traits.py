"""Traits of a computation graph, whoever made the network, by the rules of `TraitReader`."""

from __future__ import annotations

import math

import numpy as np

from evonas.graphs import ComputationGraph, Primitive
from evonas.predictors.encoders.traits import BlockTraits, LayerTraits, TraitStep, network_traits

__all__ = ["graph_traits"]

_NONLINEAR = frozenset({"relu", "relu6", "clip", "tanh", "hard_swish", "swish", "gelu", "leaky_relu", "elu", "prelu"})


def graph_traits(graph: ComputationGraph) -> np.ndarray:
    """Return the traits of a network by its graph, float64 of shape ``(len(TRAITS),)``.

    What is computed twice from one value counts once in a graph, but for operations with weights.
    """
    first = next(number for number, node in enumerate(graph.nodes) if node.name == "input")
    steps = []
    for number, (node, reads) in enumerate(zip(graph.nodes, graph.reads, strict=True)):
        if node.name in ("input", "output"):
            continue
        # What a gate is computed from is no way: it scales a value, the largest that is read, which passes.
        if node.name == "mul":
            reads = (max(reads, key=lambda source: math.prod(graph.nodes[source].result)),)
        named = tuple([_number(source, first) for source in reads])
        steps.append(
            TraitStep(_block(node), named, number + 1, math.prod(node.result), _area(graph.nodes[reads[0]].result))
        )
    last = graph.reads[-1][0] if graph.reads[-1] else -1
    return network_traits(steps, _number(last, first), _area(graph.nodes[first].result))


def _number(node: int, image: int) -> int:
    """Return the number of a node's value: 0 is the image's."""
    return 0 if node == image else node + 1


def _block(node: Primitive) -> BlockTraits:
    kernel = node.kernel[0] if node.kernel else 1
    reach = (kernel - 1) * (node.dilation[0] if node.dilation else 1) if _area(node.source) > 1 else 0
    if not node.weights:
        return BlockTraits(activations=int(node.name in _NONLINEAR), reach=reach)
    layer = LayerTraits(kernel, node.flops, node.weights, _area(node.result))
    return BlockTraits((layer,), longest=1, depth=1.0, reach=reach)


def _area(shape: tuple[int, ...]) -> int:
    """Return the positions of an image of shape (channels, height, width); 1 of what is none."""
    return math.prod(shape[1:]) if len(shape) > 1 else 1
