"""Reader of traits: block graphs of a space's networks as numbers that networks of all spaces have."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

from evonas.objectives.cost.block_graph import Block, BlockGraph
from evonas.objectives.cost.graph_builder import GraphBuilder
from evonas.objectives.cost.trace import ACTIVATIONS, Shape, Trace
from evonas.predictors.encoders.traits import TRAITS, BlockTraits, LayerTraits, TraitStep, network_traits
from evonas.spaces import Architecture, Skeleton, Space

__all__ = ["TraitReader"]

LAYERS = frozenset({"convolution", "addmm", "mm"})
"""Torch's names of operations with weights."""
NONLINEAR = frozenset({name + mark for name in ACTIVATIONS if "sigmoid" not in name for mark in ("", "_")})
"""Torch's names of activations, those of gates left out."""
GATED = frozenset({"mul", "mul_"})


class TraitReader:
    """Reader of the `TRAITS` of architectures, each block looked at once.

    Args:
        space: Their space.
        skeleton: Its frame.
    """

    def __init__(self, space: Space[Any], skeleton: Skeleton) -> None:
        self._graphs = GraphBuilder(space, skeleton)
        self._blocks: dict[Block, BlockTraits] = {}

    def __call__(self, architectures: Iterable[Architecture]) -> np.ndarray:
        """Return traits of architectures, float64 of shape ``(n, len(TRAITS))``: as written, or canonical."""
        rows = [self._read(self._graphs(architecture)) for architecture in architectures]
        return np.array(rows, dtype=np.float64).reshape(-1, len(TRAITS))

    def _read(self, graph: BlockGraph) -> np.ndarray:
        areas = [_area(shape) for shape in graph.shapes]
        sizes = graph.sizes
        steps = []
        for step in graph.steps:
            area = areas[step.reads[0]] if step.reads else 1
            steps.append(TraitStep(self._block(step.block), step.reads, step.writes, sizes[step.writes], area))
        return network_traits(steps, graph.output, areas[0])

    def _block(self, block: Block) -> BlockTraits:
        found = self._blocks.get(block)
        if found is None:
            found = self._blocks[block] = _look(block)
        return found


def _area(shape: Shape) -> int:
    """Return the positions of an image of shape (1, channels, height, width); 1 of what is none."""
    return math.prod(shape[2:])


def _look(block: Block) -> BlockTraits:
    """Return the traits of a block."""
    if not block.shapes:
        return BlockTraits(ways=0.0)
    layers, reach = _layers(block)
    longest, depth, ways = _ways(block.trace)
    activations = sum(operation.name in NONLINEAR for operation in block.trace.operations)
    return BlockTraits(tuple(layers), activations, longest, depth, ways, reach)


@torch.no_grad()
def _layers(block: Block) -> tuple[list[LayerTraits], int]:
    """Return the layers of a block in the order in which they run, and how many pixels of its input an output sees."""
    layers: list[LayerTraits] = []
    reach, before = 0, _area(block.shapes[0])

    def note(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal reach
        read, area = _area(tuple(inputs[0].shape)), _area(tuple(output.shape))
        kernel, dilation = _side(getattr(module, "kernel_size", 1)), _side(getattr(module, "dilation", 1))
        if read > 1:
            reach += round((kernel - 1) * dilation * math.sqrt(before / read))
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            weights = module.weight.numel()
            flops = weights * area if isinstance(module, nn.Linear) else module.weight[0].numel() * output[0].numel()
            layers.append(LayerTraits(kernel, flops, weights, area))

    kinds = (nn.Conv2d, nn.Linear, nn.AvgPool2d, nn.MaxPool2d)
    handles = [m.register_forward_hook(note) for m in block.module.modules() if isinstance(m, kinds)]
    try:
        device = next((t.device for t in (*block.module.parameters(), *block.module.buffers())), torch.device("meta"))
        block.module.eval()(*(torch.empty(shape, device=device) for shape in block.shapes))
    finally:
        for handle in handles:
            handle.remove()
    return layers, reach


def _side(size: Any) -> int:
    return int(size[0] if isinstance(size, tuple) else size)


def _ways(trace: Trace) -> tuple[int, float, float]:
    """Return the most layers on a way through a block, those on the mean of all ways, and the number of ways.

    What a gate is computed from is no way: it scales a value, which passes.
    """
    known = {number: (0, 0.0, 1.0) for number in range(len(trace.inputs))}
    for operation in trace.operations:
        reads = [number for number in operation.reads if number in known]
        if operation.name in GATED:
            reads = reads[:1]
        layer = operation.name in LAYERS
        count = sum(known[number][2] for number in reads)
        mean = sum(known[number][1] * known[number][2] for number in reads) / count if count else 0.0
        longest = max((known[number][0] for number in reads), default=0)
        known[operation.writes] = longest + layer, mean + layer, count
    return known[trace.result]
