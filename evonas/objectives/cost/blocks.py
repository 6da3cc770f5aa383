"""Costs that are sums over a path: what each of its entries brings, on a space's skeleton."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from evonas.objectives.cost.block_graph import Block
from evonas.objectives.cost.graph_builder import GraphBuilder
from evonas.spaces import Path, Step


class Blocks:
    """Every (decision, option) of a space on a skeleton, and the blocks that it brings.

    A candidate that sits in several slots of one decision (equal cells of a stack) brings a block for each.

    Args:
        graphs: Builder of the block graphs of the space on the skeleton.
        resolution: Another side of the images than the skeleton's.

    Attributes:
        entries: Step to the blocks it brings, one per slot.
        fixed: Blocks that no choice touches.
    """

    def __init__(self, graphs: GraphBuilder, resolution: int | None = None) -> None:
        self.entries: dict[Step, list[Block]] = {}
        for step, block in graphs.candidates(resolution):
            self.entries.setdefault(step, []).append(block)
        self.fixed = graphs.always(resolution)

    @cached_property
    def distinct(self) -> dict[str, Block]:
        """Blocks that differ, by key."""
        blocks = [*self.fixed, *(block for blocks in self.entries.values() for block in blocks)]
        return {block.key: block for block in blocks}

    def table(self, costs: Mapping[str, np.ndarray]) -> CostTable:
        """Return the table of a cost that adds up.

        Args:
            costs: Block key to a vector of costs.
        """
        entries = {step: _sum(costs, blocks) for step, blocks in self.entries.items()}
        return CostTable(entries, _sum(costs, self.fixed))


class CostTable:
    """Costs that add up over a path.

    Args:
        entries: Step, the first of its option, to its costs, shape ``(k,)``.
        fixed: Costs of what no choice touches, shape ``(k,)``.
    """

    def __init__(self, entries: Mapping[Step, np.ndarray], fixed: np.ndarray) -> None:
        self._fixed = tuple(fixed.tolist())
        self._costs = _Costs({step: tuple(values.tolist()) for step, values in entries.items()})
        self._costs.none = (0,) * len(self._fixed)

    def total(self, path: Path) -> tuple[int, ...]:
        """Return the costs of a path; entries that bring no block on this skeleton cost nothing."""
        costs = self._costs
        rows = [costs[step] for step in path]
        return tuple([fixed + sum([row[i] for row in rows]) for i, fixed in enumerate(self._fixed)])


class _Costs(dict[Step, tuple[int, ...]]):
    """Costs of each step; what is applied again costs the same again."""

    none: tuple[int, ...] = ()

    def __missing__(self, step: Step) -> tuple[int, ...]:
        costs = self[step] = self.get(step._replace(repeat=0), self.none)
        return costs


def _sum(costs: Mapping[str, np.ndarray], blocks: Sequence[Block]) -> np.ndarray:
    zero = np.zeros_like(next(iter(costs.values())))
    total: np.ndarray = np.sum([zero, *(costs[block.key] for block in blocks)], axis=0)
    return total
