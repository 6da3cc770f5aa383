"""Chain texts of architectures: those of their ONNX models, put together of blocks that were exported once."""

from __future__ import annotations

import math

import onnx

from evonas.objectives.cost.assemble import assemble, export_block
from evonas.objectives.cost.block_graph import Zeros
from evonas.objectives.cost.graph_builder import GraphBuilder
from evonas.predictors.encoders.chain_text import ChainMode, chain_text
from evonas.spaces import Architecture, Skeleton, Space

__all__ = ["ArchitectureTexts"]

SMALL = 64
"""Elements of constants that are kept: sizes and bounds; of weights the shape is all that a text holds."""


class ArchitectureTexts:
    """Chain texts of a space's architectures; a block is exported when an architecture first runs it.

    Args:
        space: The space.
        skeleton: The skeleton.
        mode: Of the text; see `chain_text`.
    """

    def __init__(self, space: Space, skeleton: Skeleton, mode: ChainMode = "fixed") -> None:
        self._block_graphs, self._mode = GraphBuilder(space, skeleton), mode
        self._models: dict[str, onnx.ModelProto] = {}

    def __call__(self, architecture: Architecture) -> str:
        """Return the text of an architecture: as written, or without dead parts if canonical."""
        block_graph = self._block_graphs(architecture)
        for step in block_graph.steps:
            if step.block.key not in self._models and not isinstance(step.block.module, Zeros):
                self._models[step.block.key] = _without_values(export_block(step.block))
        return chain_text(assemble(block_graph, self._models), self._mode)


def _without_values(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose weights have shapes alone."""
    for tensor in model.graph.initializer:
        if math.prod(tensor.dims) > SMALL:
            tensor.ClearField("raw_data")
            tensor.ClearField("float_data")
    return model
