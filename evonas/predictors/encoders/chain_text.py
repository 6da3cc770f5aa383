"""Chain text of an ONNX model: operations one after the other, a line for each chain, as ONNX-Net reads networks.

Qin et al., "ONNX-Net: Towards Universal Representations and Instant Performance Prediction for Neural Architectures",
2025. The faithful mode gives, character by character, what the authors' code gave for five small models in the tests
(github.com/shiwenqin/ONNX-Net, commit 4b9e9a6, ``get_onnx_infos_chain_slim``); written from its behavior.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import onnx

__all__ = ["ChainMode", "chain_text"]

ChainMode = Literal["faithful", "fixed"]
_BLOBS = {"TENSOR": "<BLOB>", "GRAPH": "<BLOB>", "SPARSE_TENSOR": "<BLOB>", "TYPE_PROTO": "<TYPE>"}


def chain_text(model: onnx.ModelProto, mode: ChainMode = "fixed") -> str:
    """Return the chain text of a model, which does not depend on the names of its values and nodes.

    A node that reads one value that the model computes, and writes one, goes on with the line of the node before if it
    reads what that wrote: ``Relu(prev) --> ``. Otherwise the line ends with a number and a shape,
    ``Value3:1x16x8x8``, and a new one begins. Weights are written as their shapes, lists of equal numbers as one.

    Args:
        model: Simplified, so that no node makes constants; shapes are inferred here.
        mode: ``"faithful"`` writes what the authors' code writes: attributes that are single numbers or texts, such
            as groups and axes, are left out, and so is the source of a line that starts with a node that reads nothing
            else; a value that is read again after its chain went on is called ``prev``. ``"fixed"`` keeps all of
            these: a chain ends at each value that is read more than once or comes out.
    """
    import onnx

    return _Writer(onnx.shape_inference.infer_shapes(model).graph, fixed=mode == "fixed").write()


class _Writer:
    """Text of a graph while it is written.

    Args:
        graph: With shapes of its values.
        fixed: Whether everything is kept.
    """

    def __init__(self, graph: onnx.GraphProto, *, fixed: bool) -> None:
        self._graph, self._fixed = graph, fixed
        self._shapes = {
            value.name: "x".join(str(d.dim_value) for d in value.type.tensor_type.shape.dim)
            for value in (*graph.value_info, *graph.output)
        }
        given = {
            value.name: "x".join(str(d.dim_value) for d in value.type.tensor_type.shape.dim) for value in graph.input
        }
        given |= {weight.name: f"Param[{','.join(map(str, weight.dims))}]" for weight in graph.initializer}
        self._given = frozenset(given)
        self._names = given | {value.name: "Out" for value in graph.output}
        outputs = {value.name for value in graph.output}
        readers = Counter(name for node in graph.node for name in node.input)
        self._ends = {name for name, count in readers.items() if count > 1} | outputs if fixed else set()
        self._count = 0
        self._open: str | None = None
        self._parts: list[str] = []

    def write(self) -> str:
        """Return the text."""
        for node in self._graph.node:
            computed = [name for name in node.input if name not in self._given and (name or not self._fixed)]
            if len(computed) == 1 and len(node.output) == 1:
                self._chain(node, computed[0])
            else:
                self._alone(node)
        if self._open is not None:
            self._parts.append(self._names.get(self._open, "Out"))
        return "".join(self._parts)

    def _chain(self, node: onnx.NodeProto, source: str) -> None:
        """Write a node that may go on with a chain."""
        others = [self._names[name] for name in node.input if name in self._given]
        starts = self._open != source or source in self._ends
        lost = False
        if self._open is not None and starts:
            lost = not self._fixed  # the authors' code then writes no source of a node without weights
            self._close()
        read = self._names.get(source, "prev") if starts else "prev"
        inside = [read, *others] if others or not lost else []
        self._parts.append(f"{node.op_type}({', '.join(inside)}){self._attributes(node)} --> ")
        self._open = node.output[0]

    def _alone(self, node: onnx.NodeProto) -> None:
        """Write a node of several inputs or outputs, a line of its own."""
        if self._open is not None:
            self._close()
        inside = ", ".join(self._names.get(name, "prev") for name in node.input if name or not self._fixed)
        opening = f"{node.op_type}({inside}"
        if not node.input and not self._fixed:
            opening = opening[:-2]
        for name in node.output:
            if name and name not in self._names:
                self._names[name] = self._next()
        outputs = ", ".join(self._names[name] for name in node.output if name)
        shape = self._shapes.get(node.output[0], "")
        self._parts.append(f"{opening}){self._attributes(node)} --> {outputs}:{shape}\n")
        self._open = None

    def _close(self) -> None:
        """End the line of a chain."""
        assert self._open is not None
        self._names[self._open] = self._next()
        shape = self._shapes.get(self._open)
        self._parts.append(self._names[self._open] + ("\n" if shape is None else f":{shape}\n"))
        self._open = None

    def _next(self) -> str:
        self._count += 1
        return f"Value{self._count}"

    def _attributes(self, node: onnx.NodeProto) -> str:
        written = [(one.name, self._value(one)) for one in node.attribute]
        text = ",".join(f"{name}={value}" for name, value in written if value)
        return f"({text})" if text else ""

    def _value(self, attribute: onnx.AttributeProto) -> str:
        """Return an attribute's value, or "" where it is left out."""
        from onnx import AttributeProto, helper

        kind = AttributeProto.AttributeType.Name(attribute.type)
        if kind in _BLOBS:
            return _BLOBS[kind]
        if kind.removesuffix("S") in _BLOBS:
            return f"{_BLOBS[kind.removesuffix('S')][:-1]},...>"
        value: Any = helper.get_attribute_value(attribute)
        if kind in ("INT", "FLOAT", "STRING"):
            return _plain(value) if self._fixed else ""
        if kind == "INTS" and len(set(value)) == 1:
            return str(value[0])
        return f"[{','.join(map(_plain, value))}]" if value else ""


def _plain(value: Any) -> str:
    """Return a number or text of an attribute, a float with the digits that it was given with."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return f"{value:.6g}" if isinstance(value, float) else str(value)
