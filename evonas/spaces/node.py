"""Genes of the edges into one node."""

from __future__ import annotations

import math
from bisect import insort
from itertools import combinations

from evonas.errors import SpaceError
from evonas.spaces.graph import Edge

Edges = tuple[Edge, ...]

REMEMBERED = 100_000
"""Sets of edges kept ready per node; more than the literature's spaces have."""


class NodeCode:
    """Genes of one node.

    ============ ============================================================ =========================
    wiring       genes                                                        size
    ============ ============================================================ =========================
    ``distinct`` the set of sources, an operation for each                    C(sources, kept)·ops^kept
    ``open``     (source, operation) of each edge, in the order written       (sources·ops)^kept
    ``joint``    each edge as a number among the pairs not yet taken          C(sources·ops, kept)
    ``dense``    an operation for each source                                 ops^sources
    ============ ============================================================ =========================

    Args:
        operations: Names of the candidates.
        sources: How many inputs and earlier nodes the node may read.
        wiring: One of the above.
        kept: Edges that a node keeps; dense wiring keeps all.

    Attributes:
        genes: Name of each gene, and the names of its options. Those of a joint edge count up from its own number,
            as they mean where edges are ascending.
    """

    def __init__(self, operations: tuple[str, ...], sources: int, wiring: str, kept: int) -> None:
        self.operations = operations
        self.sources = sources
        self.kept = sources if wiring == "dense" else kept
        n = len(operations)
        self._number = {name: i for i, name in enumerate(operations)}
        self._sets = tuple(combinations(range(sources), self.kept))
        self._pairs = tuple(Edge(operation, source) for source in range(sources) for operation in operations)
        self._memory: dict[tuple[int, ...], Edges] = {}
        self.genes: list[tuple[str, tuple[str, ...]]]
        ops = [(f"operation{k}", operations) for k in range(self.kept)]
        readable = tuple(map(str, range(sources)))
        if wiring == "distinct":
            self.size = len(self._sets) * n**kept
            sets = tuple("+".join(map(str, one)) for one in self._sets)
            # A choice with one option is no choice.
            self.genes = ([("sources", sets)] if len(sets) > 1 else []) + ops
            self._to_edges, self._to_genes = self._distinct_edges, self._distinct_genes
        elif wiring == "open":
            self.size = (sources * n) ** kept
            self.genes = [gene for k in range(kept) for gene in ((f"source{k}", readable), ops[k])]
            self._to_edges, self._to_genes = self._open_edges, self._open_genes
        elif wiring == "joint":
            self.size = math.comb(sources * n, kept)
            pairs = tuple(f"{operation} of {source}" for operation, source in self._pairs)
            self.genes = [(f"pair{k}", pairs[k:]) for k in range(kept)]
            self._to_edges, self._to_genes = self._joint_edges, self._joint_genes
        else:
            self.size = n**sources
            self.genes = ops
            self._to_edges, self._to_genes = self._dense_edges, self._dense_genes
        self.empty = self.decode((0,) * len(self.genes))
        """Edges of a node that is dead: ``none`` where the space has it, else the first options."""
        if "none" in self._number:
            self.empty = tuple(Edge("none", source) for _, source in self.empty)

    def decode(self, genes: tuple[int, ...]) -> Edges:
        """Return the edges that genes in range mean."""
        edges = self._memory.get(genes)
        if edges is None:
            if len(self._memory) >= REMEMBERED:
                self._memory.clear()
            edges = self._memory[genes] = self._to_edges(genes)
        return edges

    def encode(self, edges: Edges) -> list[int]:
        """Return genes that decode to the edges.

        Raises:
            SpaceError: Unknown operation, a source out of reach, or edges that this wiring cannot hold.
        """
        for edge in edges:
            if edge.operation not in self._number:
                raise SpaceError(f"unknown operation '{edge.operation}', expected one of {', '.join(self.operations)}")
            if not 0 <= edge.source < self.sources:
                raise SpaceError(f"it reads source {edge.source}, expected 0..{self.sources - 1}")
        if len(edges) != self.kept:
            raise SpaceError(f"expected {self.kept} edges, got {len(edges)}")
        return self._to_genes(edges)

    def _distinct_edges(self, genes: tuple[int, ...]) -> Edges:
        sources = self._sets[genes[0]] if len(self._sets) > 1 else self._sets[0]
        return tuple(
            Edge(self.operations[gene], source) for gene, source in zip(genes[-self.kept :], sources, strict=True)
        )

    def _distinct_genes(self, edges: Edges) -> list[int]:
        edges = tuple(sorted(edges, key=lambda edge: edge.source))
        sources = tuple(edge.source for edge in edges)
        if len(set(sources)) != self.kept:
            raise SpaceError(f"expected {self.kept} different sources, got {sources}")
        first = [self._sets.index(sources)] if len(self._sets) > 1 else []
        return first + [self._number[edge.operation] for edge in edges]

    def _open_edges(self, genes: tuple[int, ...]) -> Edges:
        return tuple(Edge(self.operations[op], source) for source, op in zip(genes[::2], genes[1::2], strict=True))

    def _open_genes(self, edges: Edges) -> list[int]:
        return [gene for edge in edges for gene in (edge.source, self._number[edge.operation])]

    def _joint_edges(self, genes: tuple[int, ...]) -> Edges:
        taken: list[int] = []
        for gene in genes:
            for number in taken:
                gene += gene >= number
            insort(taken, gene)
        return tuple([self._pairs[number] for number in taken])

    def _joint_genes(self, edges: Edges) -> list[int]:
        numbers = sorted(edge.source * len(self.operations) + self._number[edge.operation] for edge in edges)
        if len(set(numbers)) != self.kept:
            raise SpaceError(f"expected {self.kept} different (operation, source) pairs, got {edges}")
        return [number - k for k, number in enumerate(numbers)]

    def _dense_edges(self, genes: tuple[int, ...]) -> Edges:
        return tuple(Edge(self.operations[gene], source) for source, gene in enumerate(genes))

    def _dense_genes(self, edges: Edges) -> list[int]:
        if tuple(edge.source for edge in edges) != tuple(range(self.sources)):
            raise SpaceError(f"expected one edge from each of the sources 0..{self.sources - 1}, got {edges}")
        return [self._number[edge.operation] for edge in edges]
