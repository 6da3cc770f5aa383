"""Values of an ONNX model while it is read: shapes, constants, and the node of a graph that computes each."""

from __future__ import annotations

import contextlib
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas.errors import GraphError
from evonas.graphs.primitive import trimmed
from evonas.runtime.fold_shapes import fold_shapes
from evonas.runtime.graph import Graph

if TYPE_CHECKING:
    import onnx

__all__ = ["Values", "load", "prepare"]

SMALL = 1024
"""Elements of constants whose values are read: sizes, axes and bounds; of others only the shape counts."""
PARAMETRIC = {
    "Conv": (1, 2), "ConvTranspose": (1, 2), "Gemm": (0, 1, 2), "BatchNormalization": (1, 2), "ConvInteger": (1,),
    "MatMulInteger": (0, 1), "QLinearConv": (3, 8), "QLinearMatMul": (0, 3),
}  # fmt: skip
"""Operator -> positions of inputs that training sets."""
LEARNED = frozenset(
    {
        "MatMul",
        "Add",
        "Sum",
        "Mul",
        "Sub",
        "Div",
        "PRelu",
        "LayerNormalization",
        "InstanceNormalization",
        "GroupNormalization",
    }
)
"""Operators of which each constant input that is no single number is one that training sets."""


class Values:
    """Values of a model by name.

    Args:
        shapes: Shapes with the batch, as far as they are known.
        constants: Names of what depends on no input.
        numbers: Values of small constants.
        batch: Images per call.

    Attributes:
        nodes: Name -> number of the node of the graph being built.
        slices: Name of a slice -> the value that it was cut from, and start and step by axis.
        makers: Name -> the ONNX node that computes it.
    """

    def __init__(
        self,
        shapes: dict[str, list[int | None]],
        constants: set[str],
        numbers: dict[str, np.ndarray],
        batch: int,
    ) -> None:
        self._shapes, self.constants, self._numbers, self._batch = shapes, constants, numbers, batch
        self.nodes: dict[str, int] = {}
        self.slices: dict[str, tuple[str, dict[int, tuple[int, int]]]] = {}
        self.makers: dict[str, onnx.NodeProto] = {}

    def has_shape(self, name: str) -> bool:
        """Return whether a value's shape is known."""
        return None not in self._shapes.get(name, [None])

    def whole(self, name: str, who: str) -> tuple[int, ...]:
        """Return the shape of a value with the batch.

        Raises:
            GraphError: It is not known.
        """
        found = self._shapes.get(name)
        if found is None or None in found:
            maker = self.makers.get(name)
            if maker is None:
                where, advice = f"the input '{name}'", "give the resolution of the images"
            else:
                domain = f"{maker.domain}::" if maker.domain not in ("", "ai.onnx") else ""
                where = f"the output of the operator {domain}{maker.op_type} ('{maker.name or name}')"
                advice = "export the model with fixed sizes, or with the shapes of its values in it"
            open_shape = "no shape" if found is None else f"the shape {['?' if d is None else d for d in found]}"
            raise GraphError(f"Expected {who} to have known shapes, got {open_shape} for {where}: {advice}")
        return tuple([size for size in found if size is not None])

    def shape(self, name: str, who: str) -> tuple[int, ...]:
        """Return the shape of a value for one image, without ones at the end: (c, 1, 1) is (c,)."""
        return trimmed(self.image(name, who))

    def image(self, name: str, who: str) -> tuple[int, ...]:
        """Return the shape of a value for one image, with ones at the end."""
        shape = self.whole(name, who)
        return shape[1:] if shape and shape[0] == self._batch else shape

    def number(self, name: str) -> np.ndarray | None:
        """Return the values of a small constant, or None where the name is no such one's."""
        return self._numbers.get(name)

    def follow(self, source: str, output: str) -> None:
        """Take a value for another one: nothing happens in between, but its shape may become another."""
        self.nodes[output] = self.nodes[source]
        same = self.has_shape(output) and self._shapes[output] == self._shapes.get(source)
        if same and source in self.slices:  # axes of another shape are others
            self.slices[output] = self.slices[source]

    def parameters(self, model: onnx.ModelProto) -> int:
        """Return how many numbers training sets, in operations that some output depends on."""
        needed = {value.name for value in model.graph.output}
        learned: dict[str, int] = {}
        for node in reversed(model.graph.node):
            if not needed.intersection(node.output):
                continue
            needed.update(node.input)
            if node.op_type in LEARNED:
                positions = tuple(range(len(node.input)))
            else:
                positions = PARAMETRIC.get(node.op_type, ())
            for name in [node.input[p] for p in positions if p < len(node.input)]:
                if name in self.constants and self.has_shape(name):
                    shape = [size for size in self._shapes[name] if size is not None]
                    if shape and (math.prod(shape) > 1 or node.op_type in PARAMETRIC):
                        learned[name] = math.prod(shape)
        return sum(learned.values())


def load(source: str | os.PathLike[str] | onnx.ModelProto) -> tuple[onnx.ModelProto, str]:
    """Return a model that may be changed, without the values of large weights, and what errors call it."""
    import onnx

    if isinstance(source, onnx.ModelProto):
        model = onnx.ModelProto()
        model.CopyFrom(source)
        who = "the model"
    else:
        who = f"'{os.fspath(source)}'"
        try:
            model = onnx.load(os.fspath(source), load_external_data=False)
        except OSError as error:
            raise GraphError(f"Expected an ONNX file, got {who}, which cannot be read: {error.strerror}") from error
        except Exception as error:
            raise GraphError(f"Expected an ONNX file, got {who}, which is none or damaged") from error
        _load_small(model, os.path.dirname(os.fspath(source)))
    if not model.graph.node and not model.graph.output:
        raise GraphError(f"Expected an ONNX file, got {who}, which holds no graph")
    if model.functions:
        from onnx.inliner import inline_local_functions

        model = inline_local_functions(model)
    return model, who


def _load_small(model: onnx.ModelProto, folder: str) -> None:
    """Load small constants that lie outside the model, as far as they are there; they may be sizes."""
    from onnx.external_data_helper import load_external_data_for_tensor, uses_external_data

    for tensor in model.graph.initializer:
        if uses_external_data(tensor) and math.prod(tensor.dims) <= SMALL:
            with contextlib.suppress(Exception):  # what is needed and missing is named later
                load_external_data_for_tensor(tensor, folder)
                tensor.data_location = type(tensor).DEFAULT
                tensor.ClearField("external_data")


def prepare(model: onnx.ModelProto, who: str, resolution: tuple[int, int] | None) -> Values:
    """Infer the shapes of a model's values for a batch of one, or of what its inputs fix, and gather its constants."""
    from onnx import numpy_helper

    batch = _fix_inputs(model, resolution)
    numbers: dict[str, np.ndarray] = {}
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {tensor.values.name for tensor in model.graph.sparse_initializer}
    makers = {output: node for node in model.graph.node for output in node.output if output}
    for node in model.graph.node:
        if node.op_type == "Constant":
            constants.update(node.output)
            numbers.update(_held(node))
    light = _without_weights(model, numbers)
    shapes = _infer(light, who)
    if any(None in shapes.get(name, [None]) for name in makers):  # sizes may be calculated inside
        graph, opset = Graph(light.graph, shapes), max(entry.version for entry in model.opset_import)
        while fold_shapes(graph, opset):
            graph.refresh()
        numbers.update((tensor.name, numpy_helper.to_array(tensor)) for tensor in light.graph.initializer)
        shapes = _infer(light, who)
    values = Values(shapes, constants, numbers, batch)
    values.makers = makers
    return values


def _infer(model: onnx.ModelProto, who: str) -> dict[str, list[int | None]]:
    """Return the shapes of values as far as they follow from those of inputs and weights."""
    import onnx

    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception as error:
        cause = str(error).strip().partition("\n")[0]
        raise GraphError(f"Expected {who} to be a valid ONNX model, but shapes cannot be inferred: {cause}") from error
    shapes: dict[str, list[int | None]] = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    for value in (*inferred.value_info, *inferred.input, *inferred.output):
        kind = value.type.tensor_type
        if kind.HasField("shape"):
            shapes[value.name] = [d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim]
    return shapes


def _fix_inputs(model: onnx.ModelProto, resolution: tuple[int, int] | None) -> int:
    """Set open batches to one, open sides of images to a resolution; shapes inside that were named go."""
    held = {tensor.name for tensor in model.graph.initializer}
    batch, opened = 1, False
    for value in model.graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name in held or not len(dims):
            continue
        if dims[0].HasField("dim_value"):
            batch = dims[0].dim_value
        else:
            dims[0].dim_value, opened = 1, True
        for place, size in enumerate(resolution or ()):
            if len(dims) == 4 and not dims[2 + place].HasField("dim_value"):
                dims[2 + place].dim_value, opened = size, True
    if opened:  # stored shapes say what was open, and of a custom operator's output nothing else does
        for value in (*model.graph.value_info, *model.graph.output):
            dims = value.type.tensor_type.shape.dim
            if len(dims) and not dims[0].HasField("dim_value"):
                dims[0].dim_value = 1
    return batch


def _held(node: onnx.NodeProto) -> dict[str, np.ndarray]:
    """Return the value of a constant node where it is small."""
    from onnx import helper, numpy_helper

    for attribute in node.attribute:
        value: Any = helper.get_attribute_value(attribute)
        if attribute.name == "value" and math.prod(value.dims) <= SMALL:
            return {node.output[0]: np.asarray(numpy_helper.to_array(value))}
        if attribute.name in ("value_float", "value_int", "value_floats", "value_ints"):
            return {node.output[0]: np.asarray(value, dtype=np.float32 if "float" in attribute.name else np.int64)}
    return {}


def _without_weights(model: onnx.ModelProto, numbers: dict[str, np.ndarray]) -> onnx.ModelProto:
    """Return the model with large weights as inputs, whose shapes are all that inference needs; note small ones."""
    import onnx
    from onnx import helper, numpy_helper

    kept, large = [], []
    for tensor in model.graph.initializer:
        if math.prod(tensor.dims) <= SMALL and not tensor.external_data:
            numbers[tensor.name] = np.asarray(numpy_helper.to_array(tensor))
            kept.append(tensor)
        else:
            large.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
    declared = {value.name for value in model.graph.input}
    light = onnx.ModelProto(ir_version=model.ir_version)
    light.opset_import.extend(model.opset_import)
    light.graph.name = model.graph.name
    for node in model.graph.node:
        if node.op_type == "Constant" and node.output[0] in numbers:
            kept.append(numpy_helper.from_array(numbers[node.output[0]], node.output[0]))
        else:
            light.graph.node.append(node)
    light.graph.input.extend(model.graph.input)
    light.graph.input.extend(value for value in large if value.name not in declared)
    light.graph.output.extend(model.graph.output)
    light.graph.value_info.extend(model.graph.value_info)
    light.graph.initializer.extend(kept)
    return light
