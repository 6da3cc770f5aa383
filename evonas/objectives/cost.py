"""FLOPs and parameters: sums over blocks, each counted once by fvcore.

A FLOP is one multiply-add of a convolution, linear layer or matrix product, as papers on architecture search
count; norms, pooling and upsampling are free, for norms fold into convolutions at deployment.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from evonas.objectives.blocks import Blocks, add_up
from evonas.objectives.cache import cached
from evonas.objectives.evaluator import Context, fingerprint, one_by_one
from evonas.objectives.flops import count_flops
from evonas.objectives.objective import Objective, Result
from evonas.spaces import Architecture

FLOPS = Objective("flops", "multiply-adds", "min")
PARAMS = Objective("params", "parameters", "min")


class CostEvaluator:
    """FLOPs and parameters of architectures, from a table that equals fvcore on the whole network.

    Args:
        context: Space and skeleton.
    """

    objectives = (FLOPS, PARAMS)
    batch = 1000
    """Architectures that are worth storing in one go."""

    def __init__(self, context: Context) -> None:
        self.space, self.skeleton = context.space, context.skeleton
        self.fingerprint = fingerprint("cost", 1, context.space.definition.model_dump(), context.skeleton)
        blocks = Blocks(context.space, context.skeleton)
        measured = cached(
            "cost-1", list(blocks.distinct), lambda keys: [_count_block(blocks.distinct[k]) for k in keys]
        )
        self._table = blocks.table({key: np.array(value) for key, value in measured.items()})
        # What no choice touches (stem, classifier) is one network's count less its blocks'.
        reference = context.space.canonical(
            context.space.decode(np.zeros(len(context.space.choices), dtype=int))
        )
        whole = blocks.whole(reference).to_empty(device="cpu")
        image = torch.zeros(1, self.skeleton.in_channels, self.skeleton.resolution, self.skeleton.resolution)
        counted = np.array(_count(whole, image), dtype=np.int64)
        zero = np.zeros(2, dtype=np.int64)
        self._fixed = counted - add_up(self._table, self.space.path(reference), zero)

    def cost(self, architecture: Architecture) -> tuple[int, int]:
        """Return FLOPs and parameters of an architecture: as written, or without dead parts if canonical."""
        flops, params = add_up(self._table, self.space.path(architecture), self._fixed)
        return int(flops), int(params)

    def evaluate(self, architectures: Sequence[Architecture]) -> list[dict[str, Result]]:
        """Return FLOPs and parameters of each architecture."""

        def compute(architecture: Architecture) -> dict[str, float]:
            flops, params = self.cost(architecture)
            return {"flops": flops, "params": params}

        return one_by_one(self.objectives, architectures, compute)


def _count_block(block) -> tuple[int, int]:
    return _count(block.module.to_empty(device="cpu").eval(), torch.zeros(block.shape))


def _count(module: nn.Module, inputs: torch.Tensor) -> tuple[int, int]:
    return count_flops(module, inputs), sum(p.numel() for p in module.parameters())
