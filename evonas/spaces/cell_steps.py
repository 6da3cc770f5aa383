"""Steps that paths of a cell space are put together from."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.spaces.definition_cell import CellFile
from evonas.spaces.graph import Edge
from evonas.spaces.path import (
    AFTER_STEM,
    ON,
    EdgeDecision,
    InputDecision,
    OutputDecision,
    Step,
    StreamDecision,
    width_after,
)


class CellSteps:
    """All steps of a space, each made once: a search puts paths together, hashes and compares them by the thousand.

    Args:
        definition: Content of the space's file.

    Attributes:
        edges: For each kind of cell and each node, edge to step; without the edges that run nothing.
        streams: For each kind, where outputs are chosen: sum and concat, each node to its step.
        repeats: Whether a node may apply an operation to a source again.
    """

    def __init__(self, definition: CellFile) -> None:
        cell = definition.cell
        self.kinds = cell.kinds
        operations = [name for name, table in definition.operations.items() if table.kind != "none"]
        nodes = range(cell.inputs, cell.inputs + cell.nodes)
        self.edges = {
            kind: tuple(
                {
                    Edge(name, source): Step(EdgeDecision(kind, node, source), name)
                    for source in range(node)
                    for name in operations
                }
                for node in nodes
            )
            for kind in cell.kinds
        }
        self.streams = {
            kind: tuple({p: Step(StreamDecision(kind, stream, p), ON) for p in nodes} for stream in ("sum", "concat"))
            for kind in cell.kinds
        }
        self.repeats = cell.wiring == "open"
        self._inputs = {(kind, i): Step(InputDecision(kind, i), ON) for kind in cell.kinds for i in range(cell.inputs)}
        self._made: dict[tuple[InputDecision | OutputDecision, tuple[int, ...]], tuple[Step, ...]] = {}

    def inputs(self, kind: str, source: int, counts: Sequence[int]) -> tuple[Step, ...]:
        """Return the steps of an input: what it is preprocessed for.

        Args:
            kind: Kind of the cell.
            source: Number of the input.
            counts: Nodes that each kind of cell concatenates, where that is chosen; else nothing.
        """
        if counts and source == 1:
            return self._widths(InputDecision(kind, source), tuple(counts))
        return (self._inputs[kind, source],)

    def outputs(self, counts: Sequence[int]) -> tuple[Step, ...]:
        """Return the steps of the classifier: the widths that it may read."""
        return self._widths(OutputDecision(), tuple(counts))

    def _widths(self, decision: InputDecision | OutputDecision, counts: tuple[int, ...]) -> tuple[Step, ...]:
        found = self._made.get((decision, counts))
        if found is None:
            after = [width_after(kind, count) for kind, count in zip(self.kinds, counts, strict=True)]
            found = tuple(Step(decision, option) for option in (AFTER_STEM, *after))
            self._made[decision, counts] = found
        return found

    @staticmethod
    def numbered(steps: Sequence[Step]) -> list[Step]:
        """Return the steps of a node, those that come again numbered."""
        return [step._replace(repeat=steps[:i].count(step)) for i, step in enumerate(steps)]
