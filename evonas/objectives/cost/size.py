"""Size of the deployed file: weights tabled per block, and what nodes cost beside them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.cost.assemble import export_block
from evonas.objectives.cost.block_graph import Block
from evonas.objectives.cost.cache import cached
from evonas.objectives.cost.graph_builder import GraphBuilder, all_blocks
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.runtime.gates import gates
from evonas.spaces import Architecture, Candidate

SIZE = Objective("size", "bytes", "min")
SIZE_INT8 = Objective("size_int8", "bytes", "min")
VERSION = 3
"""Of what is tabled."""
FLOAT_COST = {"weighted": 374, "biased": 24, "pool": 100, "other": 62}
"""Bytes of names and attributes per operation of a float32 file; fitted to 30 networks of ten spaces, exported whole,
with a median error of 0.2 % and at most 0.7 %. Their norms were drawn at random, as training leaves them: fresh ones
are equal, and equal weights stand in a file once, which makes files of untrained networks of cells up to a quarter
smaller."""
INT8_COST = {
    "weighted": 647.7, "biased": 36.2, "pool": 87.7, "relu": 108.2, "activation": 204.9, "other": 130.8,
    "plain": 490.4, "gate": 635.8, "constant": 651.6,
}  # fmt: skip
"""The same of an 8-bit file (integers throughout, gates computed in float with stored weights of 8 bits), fitted to the
same networks: median error 0.3 %, at most 1.7 %."""
INT8_CHANNEL, GATE_CHANNEL = 12.5, 8.0
"""Bytes of an 8-bit file per value of a bias: the value as integer, its scale and zero point; in gates the value and
the scale of its channel's weights."""
ZEROS = 2
"""Operations that make zeros of a node without inputs."""
_WEIGHTED = frozenset({"Conv", "Gemm", "MatMul"})
_POOLS = frozenset({"MaxPool", "AveragePool"})
_ACTIVATIONS = frozenset({"HardSwish", "HardSigmoid", "Sigmoid", "Clip"})
_PLAIN = frozenset({"Flatten", "Reshape", "GlobalAveragePool"})


class BlockCount(NamedTuple):
    """Bytes that a block adds to a file.

    Attributes:
        weights, vectors: Values in weights and in biases, a node at a time: training makes equal ones differ.
        gate_weights, gate_vectors: Likewise in gates.
        weighted, biased, gate: Convolutions and layers outside gates, those of them with a bias, and those in gates.
        pool, activation, plain, other: Operations outside gates.
        relus: Bit i: of its i-th input it reads nothing but the positive part, which all blocks share.
    """

    weights: int = 0
    vectors: int = 0
    gate_weights: int = 0
    gate_vectors: int = 0
    weighted: int = 0
    biased: int = 0
    gate: int = 0
    pool: int = 0
    activation: int = 0
    plain: int = 0
    other: int = 0
    relus: int = 0

    @property
    def float_bytes(self) -> float:
        """Bytes of a float32 file."""
        values = self.weights + self.vectors + self.gate_weights + self.gate_vectors
        cost = FLOAT_COST
        return (
            4 * values
            + cost["weighted"] * (self.weighted + self.gate)
            + cost["biased"] * (self.biased + self.gate)
            + cost["pool"] * self.pool
            + cost["other"] * (self.other + self.plain)
        )

    @property
    def int8_bytes(self) -> float:
        """Bytes of an 8-bit file."""
        cost = INT8_COST
        return (
            self.weights
            + self.gate_weights
            + INT8_CHANNEL * self.vectors
            + GATE_CHANNEL * self.gate_vectors
            + cost["weighted"] * self.weighted
            + cost["biased"] * self.biased
            + cost["pool"] * self.pool
            + cost["activation"] * self.activation
            + cost["other"] * self.other
            + cost["plain"] * self.plain
            + cost["gate"] * self.gate
        )


class SizeEvaluator(Evaluator):
    """Bytes of an architecture's ONNX file, float32 and quantized to 8 bits, without its texts.

    Weights are counted exactly as the file of a trained network holds them, norms folded into convolutions; what the
    graph itself takes is estimated: see `FLOAT_COST` and `INT8_COST` for the errors.

    Args:
        context: Space and skeleton.
    """

    objectives = (SIZE, SIZE_INT8)
    batch = 1000
    """Architectures that are worth storing in one go."""

    def __init__(self, context: Context) -> None:
        self.space = context.space
        self._graphs = GraphBuilder(context.space, context.skeleton)
        self._counts: dict[Block, BlockCount] = {}
        self.fingerprint = fingerprint(
            "size",
            VERSION,
            FLOAT_COST,
            INT8_COST,
            INT8_CHANNEL,
            GATE_CHANNEL,
            context.space.content,
            context.skeleton,
        )

    @cached_property
    def _stored(self) -> dict[str, Any]:
        """Counts of each block's file, as plain lists."""
        return cached(f"size-{VERSION}", all_blocks(self._graphs), _count, _is_count)

    def _count_of(self, block: Block) -> BlockCount:
        if not block.shapes:
            return BlockCount(other=ZEROS)
        counts = self._stored.get(block.key)
        if counts is None:  # a joint of blocks that was not drawn before
            counts = self._stored[block.key] = _count(block)
        return BlockCount(*counts)

    def size(self, architecture: Architecture) -> tuple[float, float]:
        """Return the bytes of the float32 and of the 8-bit file."""
        single, quantized = 0.0, INT8_COST["constant"]
        positive: dict[int, list[bool]] = {}
        for step in self._graphs(architecture).steps:
            count = self._counts.get(step.block)
            if count is None:
                count = self._counts[step.block] = self._count_of(step.block)
            single, quantized = single + count.float_bytes, quantized + count.int8_bytes
            for index, value in enumerate(step.reads):
                positive.setdefault(value, []).append(bool(count.relus >> index & 1))
        # A rectified linear unit is part of what comes before it, unless others read that as it is.
        kept = sum(any(reads) and not all(reads) for reads in positive.values())
        return float(round(single)), float(round(quantized + INT8_COST["relu"] * kept))

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return both sizes of each architecture."""

        def compute(architecture: Architecture) -> dict[str, float]:
            single, quantized = self.size(architecture)
            return {"size": single, "size_int8": quantized}

        return one_by_one(self.objectives, candidates, compute, sized=True)


def _count(block: Block) -> list[int]:
    model = export_block(block)
    inside = set(gates(model))
    sizes = {tensor.name: math.prod(tensor.dims) for tensor in model.graph.initializer if tensor.data_type == 1}
    counts: Counter[str] = Counter()
    readers: dict[str, set[str]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, set()).add(node.op_type)
        if node.op_type in _WEIGHTED:
            gate = node.name in inside
            counts["gate" if gate else "weighted"] += 1
            counts["gate_weights" if gate else "weights"] += sizes.get(node.input[1], 0)
            if len(node.input) > 2:
                counts["gate_vectors" if gate else "vectors"] += sizes.get(node.input[2], 0)
                counts["biased"] += not gate
        elif node.name not in inside and node.op_type != "Relu":
            counts[_kind(node.op_type)] += 1
    for index in range(len(block.shapes)):
        counts["relus"] += (readers.get(f"input_{index}") == {"Relu"}) << index
    return list(BlockCount(**counts))


def _kind(operator: str) -> str:
    kinds = (("pool", _POOLS), ("activation", _ACTIVATIONS), ("plain", _PLAIN))
    return next((kind for kind, operators in kinds if operator in operators), "other")


def _is_count(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == len(BlockCount._fields)
        and all(isinstance(v, int) and v >= 0 for v in value)
    )
