"""Size of the deployed file: weights tabled per block, and what nodes cost beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.cost.assemble import export_block
from evonas.objectives.cost.block_graph import Block
from evonas.objectives.cost.cache import cached
from evonas.objectives.cost.graph_builder import Outlines, all_blocks
from evonas.objectives.cost.trace import BY_VALUE, NORMS
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import Architecture, Candidate

SIZE = Objective("size", "bytes", "min")
SIZE_INT8 = Objective("size_int8", "bytes", "min")
VERSION = 1
"""Of what is tabled."""
ACTIVATIONS = BY_VALUE - NORMS - {"add", "add_", "mul", "mul_"}
WEIGHTED = frozenset({"convolution", "addmm", "mm"})
FLOAT_COST = {"weighted": 371.5, "activation": 0.0, "other": 152.6, "constant": 20.0}
"""Bytes of names and attributes per operation of a float32 file; fitted to 25 networks of nine spaces, exported
whole, with a median error of 0.6 % and at most 1.8 %, at most 2.4 % on a space left out of the fit. Exports have been
simplified since: small networks of cells are judged 7 to 32 % too large."""
INT8_COST = {"weighted": 229.5, "activation": 0.0, "other": 218.9, "constant": 0.0}
"""The same of an 8-bit file (integers throughout), fitted to 33 networks of eleven spaces: median error 2.2 %, at most
4.3 % in spaces of blocks without gates. Gates stay in float, which is not counted: 39 to 45 % too little in
mobilenet_v3; 20 to 36 % too little in cells of few channels (darts), 134 % too much on one of
nasbench201."""
INT8_CHANNEL = 12.5
"""Bytes of an 8-bit file per value of a bias: the value as integer, its scale and zero point."""


class SizeEvaluator(Evaluator):
    """Bytes of an architecture's ONNX file, float32 and quantized to 8 bits, without its texts.

    Weights are counted exactly as the file holds them, norms folded into convolutions; what the graph itself takes
    is estimated: see `FLOAT_COST` and `INT8_COST` for the errors.

    Args:
        context: Space and skeleton.
    """

    objectives = (SIZE, SIZE_INT8)
    batch = 1000
    """Architectures that are worth storing in one go."""

    def __init__(self, context: Context) -> None:
        self.space = context.space
        self._outlines = Outlines(context.space, context.skeleton)
        self._bytes: dict[Block, tuple[float, float]] = {}
        self.fingerprint = fingerprint(
            "size",
            VERSION,
            FLOAT_COST,
            INT8_COST,
            INT8_CHANNEL,
            context.space.definition.model_dump(),
            context.skeleton,
        )

    @cached_property
    def _stored(self) -> dict[str, Any]:
        """Values in weights, and in biases and norms that do not fold, of each block's file."""
        return cached(f"size-{VERSION}", all_blocks(self._outlines), _count, _is_count)

    def _cost(self, block: Block) -> tuple[float, float]:
        if not block.shapes:
            zeros = 4.0 * math.prod(block.trace.output)
            return zeros, zeros
        counts = self._stored.get(block.key)
        if counts is None:  # a joint of blocks that was not drawn before
            counts = self._stored[block.key] = _count(block)
        weights, vectors = counts
        kinds = [_kind(operation.name) for operation in block.trace.operations if operation.name not in NORMS]
        single = 4 * (weights + vectors) + sum(FLOAT_COST[kind] for kind in kinds)
        quantized = weights + INT8_CHANNEL * vectors + sum(INT8_COST[kind] for kind in kinds)
        return single, quantized

    def size(self, architecture: Architecture) -> tuple[float, float]:
        """Return the bytes of the float32 and of the 8-bit file."""
        single, quantized = FLOAT_COST["constant"], INT8_COST["constant"]
        for step in self._outlines(architecture).steps:
            cost = self._bytes.get(step.block)
            if cost is None:
                cost = self._bytes[step.block] = self._cost(step.block)
            single, quantized = single + cost[0], quantized + cost[1]
        return float(round(single)), float(round(quantized))

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return both sizes of each architecture."""

        def compute(architecture: Architecture) -> dict[str, float]:
            single, quantized = self.size(architecture)
            return {"size": single, "size_int8": quantized}

        return one_by_one(self.objectives, candidates, compute, sized=True)


def _kind(name: str) -> str:
    return "weighted" if name in WEIGHTED else "activation" if name in ACTIVATIONS else "other"


def _count(block: Block) -> list[int]:
    weights = vectors = 0
    for tensor in export_block(block).graph.initializer:
        if tensor.data_type == 1:  # float32
            values = math.prod(tensor.dims)
            weights, vectors = (weights + values, vectors) if len(tensor.dims) > 1 else (weights, vectors + values)
    return [weights, vectors]


def _is_count(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(v, int) and v >= 0 for v in value)
