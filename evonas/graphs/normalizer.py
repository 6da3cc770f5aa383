"""Normal form of computation graphs: operations are added in an order in which they can run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from evonas.graphs.computation_graph import UNORDERED, ComputationGraph
from evonas.graphs.primitive import WEIGHTED, Primitive, primitive

__all__ = ["GraphNormalizer"]

Reads = tuple[int, ...]
_GATED = {"sigmoid": "swish", "hard_sigmoid": "hard_swish", "erf": "gelu"}
"""Function f -> name of x f(x)."""


class GraphNormalizer:
    """Graph that grows node by node.

    Equal operations without weights on equal values are one node, however often they are added: some exporters write
    them once. Concatenations of concatenations are one, and sums of sums are one sum where nothing else reads the inner
    one; a sum whose operands are all operands of another one stands in for them, as exporters that compute it once
    write it. What no output depends on is left out.
    """

    def __init__(self) -> None:
        self.nodes: list[Primitive] = []
        self.reads: list[Reads] = []
        self._known: dict[tuple[Primitive, Reads], int] = {}

    def input(self, shape: tuple[int, ...]) -> int:
        """Add an input of a shape without the batch, and return its number; inputs are never merged."""
        self.nodes.append(primitive("input", shape, shape))
        self.reads.append(())
        return len(self.nodes) - 1

    def add(self, node: Primitive, reads: Reads) -> int:
        """Add an operation that reads nodes added before, and return its number."""
        if node.name in UNORDERED:
            if node.name == "mul" and len(reads) == 2:
                node, reads = self._fused(node, reads)
            if len(reads) > 1:
                reads = tuple(sorted(reads))
        elif node.name == "concat":
            node, reads = self._flat(node, reads)
        if node.name not in WEIGHTED:
            found = self._known.get((node, reads))
            if found is not None:
                return found
            self._known[node, reads] = len(self.nodes)
        self.nodes.append(node)
        self.reads.append(reads)
        return len(self.nodes) - 1

    def _flat(self, node: Primitive, reads: Reads) -> tuple[Primitive, Reads]:
        """Return a concatenation of concatenations along one axis as one, as which some exporters write it."""
        inner = [source for source in reads if self.nodes[source].name == "concat"]
        if not any(self.nodes[source].detail == node.detail for source in inner):
            return node, reads
        parts = [self.reads[s] if s in inner and self.nodes[s].detail == node.detail else (s,) for s in reads]
        flat = tuple([source for part in parts for source in part])
        return primitive("concat", self.nodes[flat[0]].result, node.result, detail=node.detail), flat

    def _fused(self, node: Primitive, reads: Reads) -> tuple[Primitive, Reads]:
        """Return x f(x) as the activation that it is."""
        for x, gate in (reads, reads[::-1]):
            name = _GATED.get(self.nodes[gate].name)
            if name is not None and self.reads[gate] == (x,):
                return primitive(name, node.result, node.result), (x,)
        return node, reads

    def finish(self, outputs: Sequence[int], shape: tuple[int, ...] = ()) -> ComputationGraph:
        """Return the graph of what outputs depend on; all inputs are kept.

        Args:
            outputs: Nodes whose values come out.
            shape: Shape of the first of them, without the batch; that of its node unless given.
        """
        if outputs and not shape:
            shape = self.nodes[outputs[0]].result
        self.nodes.append(primitive("output", shape, shape))
        self.reads.append(tuple(outputs))
        while True:
            self._prune()
            if not self._merge_sums():
                return ComputationGraph(tuple(self.nodes), tuple(self.reads))
            self._rebuild()

    def _prune(self) -> None:
        """Leave out what the last node, the output, does not depend on."""
        count = len(self.nodes)
        live = [False] * count
        live[-1] = True
        reads, nodes = self.reads, self.nodes
        for number in range(count - 1, -1, -1):
            if live[number]:
                for source in reads[number]:
                    live[source] = True
            elif nodes[number].name == "input":
                live[number] = True
        if all(live):
            return
        place, kept = [0] * count, 0
        for number in range(count):
            place[number] = kept
            kept += live[number]
        self.nodes = [node for node, lives in zip(nodes, live, strict=True) if lives]
        self.reads = [
            tuple([place[source] for source in read]) for read, lives in zip(reads, live, strict=True) if lives
        ]

    def _merge_sums(self) -> bool:
        """Make sums of sums one, and use sums within others; return whether anything changed."""
        nodes, reads = self.nodes, self.reads
        sums = [number for number, node in enumerate(nodes) if node.name == "add"]
        if not sums:
            return False
        takers = [0] * len(nodes)
        for read in reads:
            for source in read:
                takers[source] += 1
        gone: set[int] = set()
        for number in sums:  # in order: inner sums are whole when outer ones are met
            inner = {source for source in reads[number] if takers[source] == 1 and nodes[source].name == "add"}
            if inner:
                parts = [[*reads[source]] if source in inner else [source] for source in reads[number]]
                reads[number] = tuple(sorted([source for part in parts for source in part]))
                gone |= inner
        left = [number for number in sums if number not in gone]
        shared = any(len(reads[number]) > 2 for number in left) and self._share_sums(left)
        return bool(gone) or shared

    def _share_sums(self, sums: Sequence[int]) -> bool:
        """Let sums stand in for their operands in larger ones, the largest first; return whether one does."""
        changed = False
        held = {number: Counter(self.reads[number]) for number in sums}
        by_size = sorted(sums, key=lambda number: len(self.reads[number]))
        for number in reversed(by_size):
            while len(self.reads[number]) > 2:
                whole = held[number]
                within = next(
                    (
                        inner
                        for inner in reversed(by_size)
                        if len(self.reads[inner]) < len(self.reads[number]) and held[inner] <= whole
                    ),
                    None,
                )
                if within is None:
                    break
                left = whole - held[within] + Counter([within])
                held[number] = left
                self.reads[number] = tuple(sorted(left.elements()))
                changed = True
        return changed

    def _rebuild(self) -> None:
        """Add all nodes again in an order in which they can run: changed sums may have become equal."""
        nodes, reads = self.nodes, self.reads
        place: dict[int, int] = {}
        self.nodes, self.reads, self._known = [], [], {}
        for number, node in enumerate(nodes):
            if node.name == "input":
                place[number] = self.input(node.result)
        waiting = [len(nodes) - 1]
        while waiting:
            number = waiting[-1]
            missing = [source for source in reads[number] if source not in place]
            if number in place:
                waiting.pop()
            elif missing:
                waiting.extend(missing)
            else:
                waiting.pop()
                place[number] = self.add(nodes[number], tuple([place[source] for source in reads[number]]))
