"""Computation graphs of ONNX models: any exporter's, of any network whose shapes are known."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evonas.errors import GraphError
from evonas.graphs.computation_graph import ComputationGraph
from evonas.graphs.normalizer import GraphNormalizer
from evonas.graphs.onnx_operations import HANDLERS, VIEWS, add_plain
from evonas.graphs.onnx_values import Values, load, prepare

if TYPE_CHECKING:
    import onnx
    from torch import Tensor, nn

__all__ = ["ModelFacts", "graph_of_module", "read_model", "read_onnx"]

CONTROL = frozenset({"If", "Loop", "Scan", "SequenceMap"})


@dataclass(frozen=True)
class ModelFacts:
    """Computation graph of an ONNX model and the numbers that its weights alone say.

    Attributes:
        graph: Its graph.
        parameters: Weights, biases, and scales and shifts of norms, as far as an output depends on their operations;
            averages and variances of norms are none. A norm that an exporter folded into a convolution counts no more.
        custom: Operators of other domains than ONNX's own, by name, and how often each occurs.
    """

    graph: ComputationGraph
    parameters: int
    custom: dict[str, int]


def read_onnx(
    source: str | os.PathLike[str] | onnx.ModelProto, resolution: tuple[int, int] | None = None
) -> ComputationGraph:
    """Return the computation graph of an ONNX model; see `read_model`."""
    return read_model(source, resolution).graph


def read_model(
    source: str | os.PathLike[str] | onnx.ModelProto, resolution: tuple[int, int] | None = None
) -> ModelFacts:
    """Read an ONNX model, whoever made it, as a computation graph in normal form.

    Constants, arithmetic on shapes, views (reshaping, flattening, casts, quantization), norms of batches, scaling
    by constants and padding with constants are no nodes, so that it makes no difference whether an exporter folded
    them into convolutions; activations that are written as several operations are one.

    Args:
        source: A file, or a model; it is left as it is. Weights may lie outside a file.
        resolution: Height and width of the images where the model leaves them open.

    Raises:
        GraphError: The file is no ONNX model, holds branches or loops, or shapes of values that are needed are open;
            what is missing is named.
    """
    model, who = load(source)
    for node in model.graph.node:
        if node.op_type in CONTROL:
            raise GraphError(
                f"Expected a network without control flow in {who}, got the operator {node.op_type} "
                f"('{node.name or node.output[0]}'): export it with its branches and loops frozen"
            )
    values = prepare(model, who, resolution)
    builder = GraphNormalizer()
    custom: dict[str, int] = {}
    for value in model.graph.input:
        if value.name not in values.constants:
            values.nodes[value.name] = builder.input(values.shape(value.name, who))
    for node in model.graph.node:
        _add(builder, values, node, who, custom)
    outputs = [value.name for value in model.graph.output]
    known = [values.nodes[name] for name in outputs if name in values.nodes]
    shape = values.shape(outputs[0], who) if outputs else ()
    return ModelFacts(builder.finish(known, shape), values.parameters(model), custom)


def graph_of_module(module: nn.Module, example: Tensor | tuple[Tensor, ...]) -> ComputationGraph:
    """Return the computation graph of a torch module in evaluation mode, by way of an export.

    Args:
        module: Any module whose forward takes tensors.
        example: Input, or tuple of inputs, batch first; only shapes and types matter.

    Raises:
        ExportError: It could not be exported.
        GraphError: Its graph could not be read.
    """
    import onnx

    from evonas.runtime import export

    model = export(module, example, dynamic_batch=False, exporter="quick")
    assert isinstance(model, onnx.ModelProto)  # no path was given
    return read_onnx(model)


def _add(builder: GraphNormalizer, values: Values, node: onnx.NodeProto, who: str, custom: dict[str, int]) -> None:
    """Add what a node computes, if it depends on an input."""
    dynamic = [name for name in node.input if name in values.nodes]
    if not dynamic or node.op_type in ("Shape", "Size"):
        values.constants.update(name for name in node.output if name)
        return
    if node.domain not in ("", "ai.onnx"):
        name = f"{node.domain}::{node.op_type}"
        custom[name] = custom.get(name, 0) + 1
        handler: Callable[..., int | None] = add_plain
    elif node.op_type in VIEWS:
        values.follow(node.input[0] if node.input[0] in values.nodes else dynamic[0], node.output[0])
        return
    else:
        handler = HANDLERS.get(node.op_type, add_plain)
    for output in node.output:
        if not output or (output != node.output[0] and not values.has_shape(output)):
            continue
        number = handler(builder, values, node, output, who)
        if number is None:
            values.follow(dynamic[0], output)
        else:
            values.nodes[output] = number
        if node.op_type in ("MaxPool", "LayerNormalization"):  # what else they give is for training
            return
