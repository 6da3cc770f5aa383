"""Checks of an exported model: free of its maker's paths, as asked for, valid, complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from evonas.errors import ExportError

if TYPE_CHECKING:
    import onnx


def strip(model: onnx.ModelProto) -> None:
    """Remove what exporters write for their own debugging: stack traces with local paths, Python classes."""
    model.ClearField("doc_string")
    model.ClearField("metadata_props")
    for graph in _graphs(model.graph):
        parts = (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer)
        for part in parts:
            part.ClearField("doc_string")
            part.ClearField("metadata_props")


def set_metadata(model: onnx.ModelProto, metadata: Mapping[str, str]) -> None:
    """Put texts into a model, in the order given."""
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)


def check_interface(
    who: str,
    model: onnx.ModelProto,
    *,
    input_names: Sequence[str],
    output_names: Sequence[str],
    dynamic_batch: bool,
    opset: int,
) -> None:
    """Hold a model against what was asked for: exporters change names, shapes and opsets silently.

    Args:
        who: What errors call the module.
        model: The exported model.
        input_names: Names of the inputs, in order.
        output_names: Names of the outputs, in order.
        dynamic_batch: Every output's first dimension must be open.
        opset: ONNX operator set.

    Raises:
        ExportError: Something differs.
    """
    graph = model.graph
    for kind, asked, got in (("inputs", input_names, graph.input), ("outputs", output_names, graph.output)):
        names = [value.name for value in got]
        if names != list(asked):
            raise ExportError(
                f"Expected {who} to export with {kind} {list(asked)}, got {names}: "
                "give one name per tensor of its forward"
            )
    version = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), None)
    if version != opset:
        raise ExportError(f"Expected {who} in opset {opset}, but torch gives it in {version}: ask for that one")
    for value in graph.output if dynamic_batch else ():
        dimensions = value.type.tensor_type.shape.dim
        if len(dimensions) and dimensions[0].HasField("dim_value"):
            raise ExportError(
                f"Expected output '{value.name}' of {who} to vary with the batch, got a first dimension "
                f"of {dimensions[0].dim_value}: keep the batch size out of its forward or fix the batch"
            )


def check_model(who: str, model: onnx.ModelProto) -> None:
    """Hold a model against the ONNX checker, shape inference included.

    Args:
        who: What errors call the module.
        model: The exported model.

    Raises:
        ExportError: The model is invalid, or a weight lies outside it.
    """
    import onnx

    outside = [weight.name for weight in model.graph.initializer if weight.external_data]
    if outside:
        raise ExportError(f"Expected the weights of {who} inside its model, got '{outside[0]}' outside")
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        cause = str(error).strip().partition("\n")[0]
        raise ExportError(f"The exported model of {who} does not pass the ONNX checker: {cause}") from error


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """Yield a graph and the graphs inside its nodes (branches, loops)."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _graphs(attribute.g)
