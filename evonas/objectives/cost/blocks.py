"""Costs that are sums over a path: what each of its entries brings, on a space's skeleton."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from evonas.objectives.cost.block_graph import Block
from evonas.objectives.cost.graph_builder import Outlines
from evonas.spaces import Path


class Blocks:
    """Every (decision, option) of a space on a skeleton, and the blocks that it brings.

    A candidate that sits in several slots of one decision (equal cells of a stack) brings a block for each.

    Args:
        outlines: Of the space on the skeleton.
        resolution: Another side of the images than the skeleton's.

    Attributes:
        entries: ``"decision.option"`` to the blocks it brings, one per slot.
        fixed: Blocks that no choice touches.
    """

    def __init__(self, outlines: Outlines, resolution: int | None = None) -> None:
        self.entries: dict[str, list[Block]] = {}
        for name, block in outlines.candidates(resolution):
            self.entries.setdefault(name, []).append(block)
        self.fixed = outlines.always(resolution)

    @cached_property
    def distinct(self) -> dict[str, Block]:
        """Blocks that differ, by key."""
        blocks = [*self.fixed, *(block for blocks in self.entries.values() for block in blocks)]
        return {block.key: block for block in blocks}

    def table(self, costs: Mapping[str, np.ndarray]) -> Table:
        """Return the table of a cost that adds up.

        Args:
            costs: Block key to a vector of costs.
        """
        entries = {name: _sum(costs, blocks) for name, blocks in self.entries.items()}
        return Table(entries, _sum(costs, self.fixed))


class Table:
    """Costs that add up over a path.

    Args:
        entries: ``"decision.option"`` to its costs, shape ``(k,)``.
        fixed: Costs of what no choice touches, shape ``(k,)``.
    """

    def __init__(self, entries: Mapping[str, np.ndarray], fixed: np.ndarray) -> None:
        self._fixed = tuple(fixed.tolist())
        self._columns = [
            {name: values[column] for name, values in ((n, v.tolist()) for n, v in entries.items())}
            for column in range(len(self._fixed))
        ]

    def total(self, path: Path) -> tuple[int, ...]:
        """Return the costs of a path; entries that bring no block on this skeleton cost nothing."""
        return tuple(
            fixed + sum([column.get(name, 0) for name in path])
            for fixed, column in zip(self._fixed, self._columns, strict=True)
        )


def _sum(costs: Mapping[str, np.ndarray], blocks: Sequence[Block]) -> np.ndarray:
    zero = np.zeros_like(next(iter(costs.values())))
    total: np.ndarray = np.sum([zero, *(costs[block.key] for block in blocks)], axis=0)
    return total
