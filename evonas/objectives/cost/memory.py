"""Peak memory: the most bytes of activations that live at once, for one image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.cost.block_graph import Block, BlockGraph
from evonas.objectives.cost.graph_builder import GraphBuilder
from evonas.objectives.cost.trace import BY_VALUE, Operation, Trace
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import Architecture, Candidate

MEMORY = Objective("memory", "bytes", "min")
BYTES = 4
"""Bytes of a value: float32."""


class MemoryEvaluator(Evaluator):
    """Peak bytes of live activations at a batch of one, image and logits included, weights left out.

    Operations run one after the other in the order of the network's forward code, as onnxruntime runs them. A
    value lives from the operation that writes it to the last one that reads it. What works on each value by
    itself (norms, activations, sums, products) writes over an input that nothing reads later.

    Args:
        context: Space and skeleton.
    """

    objectives = (MEMORY,)
    batch = 1000
    """Architectures that are worth storing in one go."""

    def __init__(self, context: Context) -> None:
        self._graphs = GraphBuilder(context.space, context.skeleton)
        self._peaks: dict[tuple[Block, tuple[bool, ...], tuple[int, ...]], int] = {}
        self.fingerprint = fingerprint("memory", 1, context.space.content, context.skeleton)

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return the peak of each architecture."""

        def compute(architecture: Architecture) -> dict[str, float]:
            return {"memory": float(BYTES * self._peak(self._graphs(architecture)))}

        return one_by_one(self.objectives, candidates, compute, sized=True)

    def _peak(self, block_graph: BlockGraph) -> int:
        """Return the most elements that live at once."""
        last = {block_graph.output: len(block_graph.steps)}
        for index in range(len(block_graph.steps) - 1, -1, -1):
            for number in block_graph.steps[index].reads:
                last.setdefault(number, index)
        sizes = block_graph.sizes
        live = peak = sizes[0]
        for index, step in enumerate(block_graph.steps):
            ends = tuple([last[number] == index for number in step.reads])
            alike = tuple([step.reads.index(number) for number in step.reads])
            key = step.block, ends, alike
            inside = self._peaks.get(key)
            if inside is None:
                inside = self._peaks[key] = _inside(step.block.trace, alike, ends)
            read = {number: sizes[number] for number in step.reads}
            peak = max(peak, live - sum(read.values()) + inside)
            live += sizes[step.writes] - sum(size for number, size in read.items() if last[number] == index)
            if step.writes not in last:
                live -= sizes[step.writes]
        return peak


def _inside(trace: Trace, reads: Sequence[int], ends: Sequence[bool]) -> int:
    """Return the most elements that live while a block runs, its inputs included.

    Args:
        trace: The block's.
        reads: The first input that each input equals: the same value may come in twice.
        ends: Whether nothing reads the input after the block.
    """
    same = dict(enumerate(reads))
    sizes = {same[index]: trace.inputs[index] for index in range(len(reads))}
    operations = [
        Operation(o.name, tuple(dict.fromkeys(same.get(r, r) for r in o.reads)), o.writes, o.size)
        for o in trace.operations
    ]
    return peak_of(sizes, operations, {same[index] for index, end in enumerate(ends) if not end} | {trace.result})


def peak_of(live: dict[int, int], operations: Sequence[Operation], kept: Iterable[int]) -> int:
    """Return the most elements that live at once while operations run in order.

    Args:
        live: Elements of each value that lives before them.
        operations: What runs.
        kept: Values that live on afterwards.
    """
    last = dict.fromkeys(kept, len(operations))
    for index in range(len(operations) - 1, -1, -1):
        for number in operations[index].reads:
            last.setdefault(number, index)
    sizes = dict(live)
    total = peak = sum(sizes.values())
    for index, operation in enumerate(operations):
        freed = [number for number in operation.reads if last.get(number, -1) == index]
        takes_over = operation.name in BY_VALUE and any(sizes[number] == operation.size for number in freed)
        peak = max(peak, total if takes_over else total + operation.size)
        sizes[operation.writes] = operation.size
        total += operation.size - sum(sizes.pop(number) for number in freed)
        if operation.writes not in last:
            total -= sizes.pop(operation.writes)
    return peak
