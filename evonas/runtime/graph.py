"""Graph of an ONNX model with who makes and takes each value, open to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx

__all__ = ["Graph", "attribute", "shapes_of"]


def shapes_of(model: onnx.ModelProto) -> dict[str, list[int | None]]:
    """Return the shapes of values as far as inference finds them; None for an open dimension."""
    import onnx

    inferred = onnx.shape_inference.infer_shapes(model).graph
    return {
        value.name: [d.dim_value if d.HasField("dim_value") else None for d in value.type.tensor_type.shape.dim]
        for value in (*inferred.value_info, *inferred.input, *inferred.output)
        if value.type.tensor_type.HasField("shape")
    }


class Graph:
    """A graph with who makes and who takes each value."""

    def __init__(self, proto: onnx.GraphProto, shapes: dict[str, list[int | None]]) -> None:
        self.proto, self.shapes = proto, shapes
        self.outputs = {value.name for value in proto.output}
        self._count = 0
        self.refresh()

    def refresh(self) -> None:
        """Read again who makes and takes what."""
        self.maker = {output: node for node in self.proto.node for output in node.output}
        self.takers: dict[str, list[onnx.NodeProto]] = {}
        for node in self.proto.node:
            for name in {*node.input, *_captured(node)}:
                self.takers.setdefault(name, []).append(node)
        self.weights = {weight.name: weight for weight in self.proto.initializer}

    def constant(self, name: str) -> np.ndarray | None:
        """Return a weight's values, or None where the name is no weight's."""
        from onnx import numpy_helper

        weight = self.weights.get(name)
        return None if weight is None else np.asarray(numpy_helper.to_array(weight))

    def add(self, name: str, values: np.ndarray) -> str:
        """Add a weight and return its name, which is a new one."""
        from onnx import numpy_helper

        while name in self.weights:
            self._count += 1
            name = f"{name.partition('@')[0]}@{self._count}"
        weight = numpy_helper.from_array(np.asarray(values, order="C"), name)
        self.proto.initializer.append(weight)
        self.weights[name] = self.proto.initializer[-1]
        return name

    def alone(self, name: str) -> bool:
        """Return whether one node takes a value, once, and it is no output."""
        takers = self.takers.get(name, [])
        return name not in self.outputs and len(takers) == 1 and list(takers[0].input).count(name) == 1

    def bypass(self, node: onnx.NodeProto, source: str) -> None:
        """Remove a node of one output, whose takers take the source instead."""
        gone = node.output[0]
        self.proto.node.remove(node)
        if gone in self.outputs:  # names of outputs stay: the source is renamed
            source, gone = gone, source
            maker = self.maker[gone]
            maker.output[list(maker.output).index(gone)] = source
        for taker in self.proto.node:
            for i, name in enumerate(taker.input):
                if name == gone:
                    taker.input[i] = source
        self.shapes.setdefault(source, self.shapes.get(gone, []))

    def merge_weights(self) -> None:
        """Leave one of weights that are equal."""
        first: dict[tuple[int, tuple[int, ...], bytes], str] = {}
        same: dict[str, str] = {}
        for weight in self.proto.initializer:
            values = self.constant(weight.name)
            assert values is not None
            same[weight.name] = first.setdefault((weight.data_type, values.shape, values.tobytes()), weight.name)
        for node in self.proto.node:
            for i, name in enumerate(node.input):
                node.input[i] = same.get(name, name)
        self.refresh()

    def drop_unused(self) -> None:
        """Drop nodes and weights that nothing takes."""
        while dead := [n for n in self.proto.node if not any(o in self.outputs or o in self.takers for o in n.output)]:
            for node in dead:
                self.proto.node.remove(node)
            self.refresh()
        for weight in [w for w in self.proto.initializer if w.name not in self.takers and w.name not in self.outputs]:
            self.proto.initializer.remove(weight)
        self.refresh()

    def name_nodes(self) -> None:
        """Name each node after its weights, else after its operation."""
        used: dict[str, int] = {}
        for node in self.proto.node:
            weights = [name for name in node.input if name in self.weights and "." in name]
            base = weights[0].partition("@")[0].rpartition(".")[0] if weights else node.op_type.lower()
            used[base] = used.get(base, 0) + 1
            node.name = base if used[base] == 1 else f"{base}_{used[base]}"


def attribute(node: onnx.NodeProto, name: str, default: object = None) -> object:
    """Return the value of a node's attribute, or a default where it has none of that name."""
    from onnx import helper

    return next((helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def _captured(node: onnx.NodeProto) -> set[str]:
    """Return the names that graphs inside a node, such as branches, take from outside."""
    names = set()
    for attribute in node.attribute:
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            for inner in graph.node:
                names |= {*inner.input, *_captured(inner)}
    return names
