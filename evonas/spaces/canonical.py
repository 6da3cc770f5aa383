"""Canonical forms of cells: what is dead is pruned, what may be renumbered is put in order."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.spaces.definition_cell import CellFile
from evonas.spaces.graph import Cell, Edge
from evonas.spaces.node import REMEMBERED, Edges, NodeCode

_Key = tuple[int, ...]
"""A node's (source, operation) pairs as sorted numbers: what nodes are ordered by."""


class CanonicalCells:
    """Cells of a space and their representatives.

    Args:
        definition: The space's file.
        codes: What each node may hold.
    """

    def __init__(self, definition: CellFile, codes: Sequence[NodeCode]) -> None:
        cell = definition.cell
        self._inputs = cell.inputs
        self._empty = tuple(code.empty for code in codes)
        tables = definition.operations
        self._none = next((name for name, table in tables.items() if table.kind == "none"), None)
        # A zero passes these unchanged; a norm behind a convolution turns it into a constant.
        self._keeps_zero = frozenset(
            name
            for name, table in tables.items()
            if table.kind in ("none", "skip") or (table.kind in ("max_pool", "avg_pool") and not table.norm)
        )
        self._all_put_out = cell.outputs == "all"
        # Nodes may be exchanged where each may hold what another held; the last node is the output of some.
        free = cell.wiring == "open" or (cell.wiring != "dense" and self._none is None)
        self._renumbers = free and cell.outputs != "last"
        self._numbers = {name: number for number, name in enumerate(tables)}
        sources = range(cell.inputs + cell.nodes)
        self._pairs = [Edge(operation, source) for source in sources for operation in tables]
        self._edges: dict[_Key, Edges] = {}

    def live(self, cell: Cell) -> set[int]:
        """Return the sources that an output of the cell depends on."""
        live = {source for sources in cell.outputs for source in sources}
        for node in range(self._inputs + len(cell.nodes) - 1, self._inputs - 1, -1):
            if node in live:
                for operation, source in cell.nodes[node - self._inputs]:
                    if operation != self._none:
                        live.add(source)
        return live

    def representative(self, cell: Cell) -> Cell:
        """Return the canonical cell; see `evonas.spaces.CellSpace.canonical`."""
        if self._none is not None:
            cell = Cell(self._without_zeros(cell.nodes), cell.outputs)
        dead: list[int] = []
        if not self._all_put_out:
            live = self.live(cell)
            dead = [i for i in range(len(cell.nodes)) if i + self._inputs not in live]
        if self._renumbers:
            return self._renumbered(cell, dead)
        nodes = list(cell.nodes)
        for i in dead:
            nodes[i] = self._empty[i]
        return Cell(tuple(nodes), cell.outputs)

    def _without_zeros(self, nodes: tuple[Edges, ...]) -> tuple[Edges, ...]:
        """Replace operations that only pass a zero on by ``none``."""
        none = self._none
        zero: set[int] = set()
        clean = []
        for node, edges in enumerate(nodes, self._inputs):
            if zero and none is not None:
                edges = tuple(
                    Edge(none, edge.source) if edge.source in zero and edge.operation in self._keeps_zero else edge
                    for edge in edges
                )
            for operation, _ in edges:
                if operation != none:
                    break
            else:
                zero.add(node)
            clean.append(edges)
        return tuple(clean)

    def _renumbered(self, cell: Cell, dead: list[int]) -> Cell:
        """Order nodes by what they read: the least node first among those whose sources have a position."""
        inputs, nodes, none = self._inputs, cell.nodes, self._none
        numbers, count = self._numbers, len(self._numbers)
        position = list(range(inputs)) + [-1] * len(nodes)
        waiting = [i for i in range(len(nodes)) if i not in dead] if dead else list(range(len(nodes)))
        ready: list[tuple[_Key, int]] = []
        ordered: list[Edges] = []
        while waiting or ready:
            blocked = []
            for i in waiting:
                for operation, source in nodes[i]:
                    if position[source] < 0 and operation != none:
                        blocked.append(i)
                        break
                else:
                    key = [
                        (0 if operation == none else position[source]) * count + numbers[operation]
                        for operation, source in nodes[i]
                    ]
                    key.sort()
                    ready.append((tuple(key), i))
            waiting = blocked
            least = min(ready)
            ready.remove(least)
            position[least[1] + inputs] = inputs + len(ordered)
            ordered.append(self._edges_of(least[0]))
        for i in dead:
            position[i + inputs] = inputs + len(ordered)
            ordered.append(self._empty[len(ordered)])
        outputs = cell.outputs
        if not self._all_put_out:
            outputs = tuple([tuple(sorted([position[p] for p in sources])) for sources in outputs])
        return Cell(tuple(ordered), outputs)

    def _edges_of(self, key: _Key) -> Edges:
        edges = self._edges.get(key)
        if edges is None:
            if len(self._edges) >= REMEMBERED:
                self._edges.clear()
            edges = self._edges[key] = tuple([self._pairs[number] for number in key])
        return edges
