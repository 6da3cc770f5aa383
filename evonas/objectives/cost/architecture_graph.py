"""Computation graphs of architectures, put together from those of blocks, each exported once."""

from __future__ import annotations

import json
from typing import Any

import onnx

from evonas.graphs import ComputationGraph, GraphNormalizer, read_onnx
from evonas.graphs.primitive import Primitive, primitive, trimmed
from evonas.objectives.cost.assemble import export_block
from evonas.objectives.cost.block_graph import Add, Block, Concat, Zeros
from evonas.objectives.cost.cache import cached
from evonas.objectives.cost.graph_builder import GraphBuilder
from evonas.objectives.cost.trace import Shape
from evonas.spaces import Architecture, Skeleton, Space

__all__ = ["ArchitectureGraphs"]

VERSION = 1
"""Of what is kept for blocks."""
Part = tuple[Primitive, tuple[int, ...]]


class ArchitectureGraphs:
    """Computation graphs of a space's architectures, equal to those of their exported networks.

    A block is exported and read when an architecture first runs it, and kept on disk; graphs are then put together
    in a millisecond or two.

    Args:
        space: The space.
        skeleton: The skeleton.
    """

    def __init__(self, space: Space, skeleton: Skeleton) -> None:
        self._block_graphs = GraphBuilder(space, skeleton)
        self._parts: dict[Block, tuple[list[Part], int]] = {}
        self._sums: dict[Shape, Primitive] = {}
        self._joints: dict[Block, Primitive] = {}

    def __call__(self, architecture: Architecture) -> ComputationGraph:
        """Return the graph of an architecture: as written, or without dead parts if canonical."""
        block_graph = self._block_graphs(architecture)
        missing = {step.block.key: step.block for step in block_graph.steps if self._is_new(step.block)}
        if missing:
            self._read(missing)
        builder = GraphNormalizer()
        # Values without an entry are constants.
        values: dict[int, int] = {0: builder.input(block_graph.shapes[0][1:])}
        for step in block_graph.steps:
            read = [values[number] for number in step.reads if number in values]
            if not read:
                continue
            block = step.block
            if isinstance(block.module, Add):
                values[step.writes] = builder.add(self._sum(block), tuple(read)) if len(read) > 1 else read[0]
            elif isinstance(block.module, Concat):
                values[step.writes] = builder.add(self._joint(block), tuple(read)) if len(block.shapes) > 1 else read[0]
            else:
                parts, result = self._parts[block]
                values[step.writes] = _inline(builder, parts, result, read[0])
        last = [values[block_graph.output]] if block_graph.output in values else []
        return builder.finish(last, trimmed(block_graph.shapes[block_graph.output][1:]))

    def _is_new(self, block: Block) -> bool:
        return block not in self._parts and not isinstance(block.module, Add | Concat | Zeros)

    def _read(self, blocks: dict[str, Block]) -> None:
        kept = cached(f"graph-{VERSION}", blocks, _measure, _is_graph)
        for key, block in blocks.items():
            nodes, reads, result = kept[key]
            parts = [(primitive(*map(_frozen, node)), tuple(read)) for node, read in zip(nodes, reads, strict=True)]
            self._parts[block] = parts, result

    def _sum(self, block: Block) -> Primitive:
        shape = block.shapes[0]
        found = self._sums.get(shape)
        if found is None:
            summed = trimmed(shape[1:])
            found = self._sums[shape] = primitive("add", summed, summed)
        return found

    def _joint(self, block: Block) -> Primitive:
        found = self._joints.get(block)
        if found is None:
            source, result = trimmed(block.shapes[0][1:]), trimmed(block.trace.output[1:])
            found = self._joints[block] = primitive("concat", source, result, detail=(1,))
        return found


def _inline(builder: GraphNormalizer, parts: list[Part], result: int, source: int) -> int:
    """Add the nodes of a block that reads a value, and return the one that comes out."""
    numbers = [source]
    add = builder.add
    for node, reads in parts:
        numbers.append(add(node, (numbers[reads[0]],) if len(reads) == 1 else tuple([numbers[r] for r in reads])))
    return numbers[result]


def _measure(block: Block) -> list[Any]:
    """Return the nodes of a block's graph, what each reads, and which comes out; 0 is what the block reads."""
    model = export_block(block)
    assert isinstance(model, onnx.ModelProto)
    graph = read_onnx(model)
    assert graph.nodes[0].name == "input"
    assert graph.nodes[-1].name == "output"
    nodes = [list(node.fields) for node in graph.nodes[1:-1]]
    kept: list[Any] = json.loads(json.dumps([nodes, graph.reads[1:-1], graph.reads[-1][0]]))
    return kept


def _is_graph(value: Any) -> bool:
    """Return whether a value found on disk is a block's graph."""
    if not (isinstance(value, list) and len(value) == 3 and isinstance(value[0], list) and isinstance(value[1], list)):
        return False
    nodes, reads, result = value
    return (
        len(nodes) == len(reads)
        and isinstance(result, int)
        and 0 <= result <= len(nodes)
        and all(isinstance(node, list) and len(node) == 8 and isinstance(node[0], str) for node in nodes)
        and all(
            isinstance(read, list) and all(isinstance(one, int) and 0 <= one <= place for one in read)
            for place, read in enumerate(reads)
        )
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
