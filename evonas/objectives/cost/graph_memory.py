"""Peak memory of a computation graph, by the rules of `MemoryEvaluator`."""

from __future__ import annotations

import math

from evonas.graphs import ComputationGraph
from evonas.objectives.cost.memory import BYTES, peak_of
from evonas.objectives.cost.trace import Operation

__all__ = ["graph_memory"]

_BY_VALUE = frozenset(
    {
        "relu", "relu6", "clip", "sigmoid", "hard_sigmoid", "tanh", "hard_swish", "swish", "gelu", "leaky_relu", "elu",
        "add", "mul", "sub", "div", "pow", "sqrt", "exp", "erf",
    }
)  # fmt: skip
"""Operations on each value by itself, whose result may take the place of an input that nothing reads later."""


def graph_memory(graph: ComputationGraph) -> int:
    """Return the most bytes of activations that live at once for one image, image and result included.

    Operations run one after the other in the order of the graph's nodes; a sum of several values is one operation.
    """
    inputs = {n: math.prod(node.result) for n, node in enumerate(graph.nodes) if node.name == "input"}
    operations = [
        Operation(
            "relu" if node.name in _BY_VALUE else node.name, tuple(dict.fromkeys(read)), n, math.prod(node.result)
        )
        for n, (node, read) in enumerate(zip(graph.nodes, graph.reads, strict=True))
        if node.name not in ("input", "output")
    ]
    return BYTES * peak_of(inputs, operations, graph.reads[-1])
