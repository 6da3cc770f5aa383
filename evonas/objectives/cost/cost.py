"""FLOPs and parameters: sums over blocks, each counted once by fvcore.

A FLOP is one multiply-add of a convolution, linear layer or matrix product, as papers on architecture search
count; norms, pooling and upsampling are free, for norms fold into convolutions at deployment.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.cost.block_graph import Block
from evonas.objectives.cost.blocks import Blocks, CostTable
from evonas.objectives.cost.cache import cached
from evonas.objectives.cost.graph_builder import GraphBuilder
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.proxies import Flops, Forward
from evonas.spaces import Architecture, Candidate

FLOPS = Objective("flops", "multiply-adds", "min")
PARAMS = Objective("params", "parameters", "min")
VERSION = 3
"""Of the rule by which blocks are counted."""


class CostEvaluator(Evaluator):
    """FLOPs and parameters of architectures, from a table that equals fvcore on the whole network.

    Args:
        context: Space and skeleton.
    """

    objectives = (FLOPS, PARAMS)
    batch = 1000
    """Architectures that are worth storing in one go."""

    def __init__(self, context: Context) -> None:
        self.space = context.space
        self.fingerprint = fingerprint("cost", VERSION, context.space.content, context.skeleton)
        self._graphs = GraphBuilder(context.space, context.skeleton)
        self._counts: dict[str, tuple[int, int]] = {}
        self._table = lru_cache(maxsize=None)(self._make_table)
        self._table(None)

    def _make_table(self, resolution: int | None) -> CostTable:
        blocks = Blocks(self._graphs, resolution)
        counts = cached(f"cost-{VERSION}", blocks.distinct, _count, _is_count)
        self._counts |= {key: (flops, params) for key, (flops, params) in counts.items()}
        return blocks.table({key: np.array(count, dtype=np.int64) for key, count in counts.items()})

    def cost(self, architecture: Architecture) -> tuple[int, int]:
        """Return FLOPs and parameters of an architecture: as written, or without dead parts if canonical."""
        table = self._table(architecture.resolution)
        path = self.space.path(architecture)
        if self._graphs.uneven(path):
            blocks = [step.block for step in self._graphs(architecture).steps]
            counts = [self._counts[block.key] for block in blocks if block.key in self._counts]
            return sum(flops for flops, _ in counts), sum(params for _, params in counts)
        flops, params = table.total(path)
        return flops, params

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return FLOPs and parameters of each architecture."""

        def compute(architecture: Architecture) -> dict[str, float]:
            flops, params = self.cost(architecture)
            return {"flops": flops, "params": params}

        return one_by_one(self.objectives, candidates, compute, sized=True)


def _count(block: Block) -> list[int]:
    module = block.module
    parameters = sum(parameter.numel() for parameter in module.parameters())
    if not parameters:
        return [0, 0]
    # Counting traces the module, which needs values; what they are means nothing.
    image = torch.zeros(block.shapes[0])
    module = module.to_empty(device="cpu")
    flops = int(Flops().measure(Forward(module, image, torch.Generator())))
    module.to("meta")
    return [flops, parameters]


def _is_count(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(v, int) and math.isfinite(v) and v >= 0 for v in value)
    )
