"""Latency tables: milliseconds of blocks on one device, portable as JSON, and the fit that adds them up."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from evonas.errors import EvaluationError, SettingsError
from evonas.objectives.cost.block_graph import BlockGraph, GraphStep

FORMAT = 3
RIDGE = 0.3
"""Weight of the penalty that draws each kind's slope to the common one; the squared relative error of each of some
forty networks has weight one. Chosen on other networks than those reported."""

Heads = Mapping[str, Sequence[tuple[str, float]]]


@dataclass(frozen=True)
class Fit:
    """Coefficients by which a sum of blocks becomes a network's latency: linear in all of these.

    Attributes:
        constant: Milliseconds of a call.
        slope: Of the sum of the blocks' milliseconds.
        per_node: Milliseconds per node of the deployed graph.
        kinds: Kind of block to what its own milliseconds count beyond the slope.
    """

    constant: float
    slope: float
    per_node: float
    kinds: dict[str, float]


@dataclass(frozen=True)
class LatencyTable:
    """Milliseconds per block on one device.

    A block's milliseconds are its shortest call's, that of a module that does nothing subtracted: medians drift
    while something else runs on the machine, minimums hardly do. The fit brings their sums to whole networks'
    medians, and so a table's latency is a median as `latency_measured` is.

    Attributes:
        space: Name of the space.
        skeleton: Fields of the skeleton.
        device: Fingerprint of the device: processor, threads, batch, libraries.
        session: Options of the onnxruntime session.
        blocks: Key of each block to ``label``, ``ms``, and ``median_ms`` and ``mad_ms`` as measured.
        heads: Key of a block to the operations without weights that it begins with, each with its milliseconds:
            where several blocks begin a value's reading alike, the runtime computes that once.
        fit: See `Fit`.
        calibration: Networks that the fit was made on.
        error: Median absolute error of the fit, relative, each network left out in turn.
        floor_ms: What a call of a module that does nothing takes.
        noise_ms: Median absolute deviation of the calls of the networks, median over networks.
        resolutions: Sides that candidates may choose among; none: the skeleton's alone.
    """

    space: str
    skeleton: dict[str, Any]
    device: dict[str, Any]
    session: dict[str, Any]
    blocks: dict[str, dict[str, Any]]
    heads: dict[str, list[tuple[str, float]]]
    fit: Fit
    calibration: int
    error: float
    floor_ms: float
    noise_ms: float
    format: int = FORMAT
    resolutions: list[int] = field(default_factory=list)

    def latency(self, block_graph: BlockGraph) -> float:
        """Return a network's milliseconds.

        Raises:
            EvaluationError: A block that the table does not hold.
        """
        sums, nodes = tally(block_graph, self.blocks, self.heads)
        fit = self.fit
        own = sum(fit.kinds.get(kind, 0.0) * value for kind, value in sums.items())
        return fit.constant + fit.slope * sum(sums.values()) + own + fit.per_node * nodes

    def to_json(self) -> str:
        """Return the table as text that `from_json` reads."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, name: str = "the latency table") -> LatencyTable:
        """Read a table.

        Raises:
            SettingsError: Not a table, or one of another version.
        """
        try:
            content = json.loads(text)
            if not isinstance(content, dict) or content.get("format") != FORMAT:
                raise ValueError(f"expected a latency table of format {FORMAT}")
            content["fit"] = Fit(**content["fit"])
            content["heads"] = {k: [(str(h), float(ms)) for h, ms in v] for k, v in content["heads"].items()}
            table = cls(**content)
            fit = table.fit
            numbers = [block["ms"] for block in table.blocks.values()]
            numbers += [fit.constant, fit.slope, fit.per_node, table.error, *fit.kinds.values()]
            if not all(isinstance(number, int | float) and math.isfinite(number) for number in numbers):
                raise ValueError("expected finite numbers")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SettingsError(
                f"Cannot read {name}: {' '.join(str(error).split())}; build one with  evonas latency build"
            ) from None
        return table


def tally(
    block_graph: BlockGraph, blocks: Mapping[str, Mapping[str, Any]], heads: Heads
) -> tuple[dict[str, float], int]:
    """Return the sum of the blocks' milliseconds by kind, and the number of nodes that run.

    Raises:
        EvaluationError: A block that was not measured.
    """
    sums: dict[str, float] = {}
    begun: Counter[tuple[int, str]] = Counter()
    nodes = 0
    for step in block_graph.steps:
        if not step.reads:
            continue  # a constant
        block = step.block
        measured = blocks.get(block.key)
        if measured is None:
            raise EvaluationError(
                f"the latency table does not hold the block {block.label} on inputs {list(block.shapes)}: it was "
                "built for another skeleton or version; build it again with  evonas latency build"
            )
        spent = measured["ms"]
        nodes += block.trace.nodes
        for head, ms in heads.get(block.key, ()):
            number = step.reads[0]
            if begun[number, head]:
                spent -= ms
                nodes -= 1
            begun[number, head] += 1
        kind = kind_of(step)
        sums[kind] = sums.get(kind, 0.0) + max(0.0, spent)
    return sums, nodes


def kind_of(step: GraphStep) -> str:
    """Return the kind of a step's block: the option that it is, ``always`` where there was no choice."""
    return "always" if step.fixed else step.block.sort


def fit_sums(
    sums: Sequence[Mapping[str, float]], nodes: Sequence[int], target: np.ndarray, ridge: float = RIDGE
) -> tuple[Fit, float]:
    """Fit sums by kind to measured networks, in relative error.

    Args:
        sums: Milliseconds by kind, one mapping per network.
        nodes: Nodes of each network.
        target: Measured milliseconds, shape ``(n,)``.
        ridge: See `RIDGE`.

    Returns:
        The fit, and its median absolute relative error when each network is left out in turn.
    """
    kinds = sorted({kind for row in sums for kind in row})
    split = np.array([[row.get(kind, 0.0) for kind in kinds] for row in sums])
    columns = np.column_stack([np.ones(len(target)), split.sum(axis=1), np.array(nodes, dtype=float), split])
    # Kinds that are always as many, and the number of nodes, say little beside the sum: they are drawn to nothing.
    penalty = np.array([0.0, 0.0, ridge, *[ridge] * len(kinds)])

    def solve(rows: np.ndarray) -> np.ndarray:
        relative = columns[rows] / target[rows, None]
        scale = np.maximum(np.abs(relative).mean(axis=0), 1e-12)
        relative = relative / scale
        gram = relative.T @ relative + np.diag(penalty + 1e-9)
        solved: np.ndarray = np.linalg.solve(gram, relative.sum(axis=0)) / scale
        return solved

    everything = np.arange(len(target))
    errors = [abs(float(columns[i] @ solve(everything != i)) / target[i] - 1.0) for i in everything]
    constant, slope, per_node, *own = (float(value) for value in solve(everything >= 0))
    return Fit(constant, slope, per_node, dict(zip(kinds, own, strict=True))), float(np.median(errors))
