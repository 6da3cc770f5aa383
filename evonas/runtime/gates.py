"""Gates of a graph: what computes a factor for each channel out of their means."""

from __future__ import annotations

import onnx

__all__ = ["gates"]


def gates(model: onnx.ModelProto) -> list[str]:
    """Return the names of the nodes of gates: from a pooling over all pixels to the product with what was pooled.

    Squeeze-and-excitation computes a factor for each channel out of a few numbers. Integers save nothing there, and
    the error of a factor is one of all pixels of its channel.

    Args:
        model: Its nodes have names.
    """
    takers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            takers.setdefault(name, []).append(node)
    found: dict[str, None] = {}
    for pool in model.graph.node:
        if pool.op_type != "GlobalAveragePool" or all(t.op_type != "Conv" for t in takers.get(pool.output[0], [])):
            continue
        waiting = [pool]
        while waiting:
            node = waiting.pop()
            if node.name not in found and node.op_type != "Mul":
                found[node.name] = None
                waiting += [taker for name in node.output for taker in takers.get(name, [])]
    return list(found)
