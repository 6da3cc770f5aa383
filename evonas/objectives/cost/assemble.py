"""Whole networks as ONNX models, put together from blocks that were exported once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from evonas.errors import ExportError
from evonas.objectives.cost.block_graph import Block, BlockGraph, Zeros

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET, IR = 18, 8


def export_block(block: Block, *, batch: int = 1, seed: int = 0) -> ModelProto:
    """Export a block with random weights.

    Args:
        block: A block that reads something.
        batch: Images per call.
        seed: Of the weights.

    Raises:
        ExportError: The block cannot be exported; it is named, with the exporter's cause.
    """
    import torch

    from evonas.networks import initialize
    from evonas.runtime import export

    generator = torch.Generator().manual_seed(seed)
    module, shapes = block.module, block.shapes
    bare = next(module.parameters(), None) is None and next(module.buffers(), None) is None
    if not bare:
        module = module.to_empty(device="cpu")
        initialize(module, generator)
    examples = tuple(torch.zeros((batch, *shape[1:])) for shape in shapes)
    try:
        model = export(
            module.eval(),
            examples,
            input_names=[f"input_{i}" for i in range(len(shapes))],
            output_names=["output"],
            dynamic_batch=False,
            opset=OPSET,
            exporter="quick",
        )
        assert isinstance(model, onnx.ModelProto)  # no path was given
        return model
    except ExportError as error:
        raise ExportError(f"The block {block.label} cannot be exported: {error}") from error
    finally:
        if not bare:
            block.module.to("meta")


def assemble(block_graph: BlockGraph, models: Mapping[str, ModelProto], *, batch: int = 1) -> ModelProto:
    """Return the network of a block graph: the graph that exporting it whole would give, in a fraction of the time.

    Args:
        block_graph: What runs.
        models: Block key to its exported model; equal blocks share their weights' values.
        batch: Images per call, that of the models.
    """
    nodes: list[onnx.NodeProto] = []
    weights: list[TensorProto] = []
    for index, step in enumerate(block_graph.steps):
        block = step.block
        if isinstance(block.module, Zeros):
            zeros = np.zeros((batch, *block.trace.output[1:]), dtype=np.float32)
            weights.append(numpy_helper.from_array(zeros, f"value_{step.writes}"))
            continue
        names = {"output": f"value_{step.writes}"}
        for i, (number, shape) in enumerate(zip(step.reads, block.shapes, strict=True)):
            names[f"input_{i}"] = f"value_{number}"
            if shape != block_graph.shapes[number]:
                names[f"input_{i}"] = f"rows_{index}_{i}"
                nodes.append(helper.make_node("Flatten", [f"value_{number}"], [names[f"input_{i}"]], axis=1))
        graph = models[block.key].graph
        for tensor in graph.initializer:
            copy = TensorProto()
            copy.CopyFrom(tensor)
            copy.name = names[tensor.name] = f"step_{index}_{tensor.name}"
            weights.append(copy)
        for node in graph.node:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.name = f"step_{index}_{node.name}"
            copy.input[:] = [names.get(name, name and f"step_{index}_{name}") for name in node.input]
            copy.output[:] = [names.get(name, name and f"step_{index}_{name}") for name in node.output]
            nodes.append(copy)
    side = block_graph.shapes[0]
    image = helper.make_tensor_value_info("value_0", TensorProto.FLOAT, (batch, *side[1:]))
    last = next(step.block.trace.output for step in reversed(block_graph.steps) if step.writes == block_graph.output)
    logits = helper.make_tensor_value_info(f"value_{block_graph.output}", TensorProto.FLOAT, (batch, *last[1:]))
    graph = helper.make_graph(nodes, "network", [image], [logits], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)


def heads_of(model: ModelProto, block: Block) -> dict[str, ModelProto]:
    """Return the operations without weights that read a block's first input, each as a model of its own.

    The runtime computes equal ones on the same value once, however many blocks begin with them.
    """
    if len(block.shapes) != 1:
        return {}
    found = {}
    for node in model.graph.node:
        if list(node.input) == ["input_0"] and len(node.output) == 1:
            alone = onnx.NodeProto(op_type=node.op_type, domain=node.domain, input=["input_0"], output=["output"])
            alone.attribute.extend(sorted(node.attribute, key=lambda attribute: attribute.name))
            key = hashlib.sha256(alone.SerializeToString() + str(block.shapes).encode()).hexdigest()[:20]
            found[f"{node.op_type} {key}"] = _single(alone, model.graph.input[0])
    return found


def nothing(batch: int = 1) -> ModelProto:
    """Return a model that does nothing to a number per image: its time is a call's own cost."""
    value = helper.make_tensor_value_info("input_0", TensorProto.FLOAT, (batch, 1))
    return _single(helper.make_node("Identity", ["input_0"], ["output"]), value)


def _single(node: onnx.NodeProto, value: onnx.ValueInfoProto) -> ModelProto:
    out = helper.make_tensor_value_info("output", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "head", [value], [out])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
