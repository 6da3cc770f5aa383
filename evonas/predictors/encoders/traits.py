"""Traits: a dozen numbers that every network has, whatever its space, read off the graph of its blocks.

They say how large a network is, how deep, and how evenly both are spread over its resolutions. What they mean is alike
in cells and in chains of blocks, so what is learned from trainings of one space carries over to another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["TRAITS", "BlockTraits", "LayerTraits", "TraitStep", "network_traits"]

TRAITS = (
    "flops", "params", "memory", "layers", "longest", "depth", "activations", "spatial", "kernels", "even spatial",
    "even params", "field",
)  # fmt: skip
"""Traits in order.

``flops`` and ``params``: logarithms of multiply-adds and of weights. ``memory``: logarithm of the number of values that
blocks write. ``layers``: convolutions and linear layers. ``longest`` and ``depth``: how many of them stand on the
longest way from the image to the output, and on the mean of all ways. ``activations``: nonlinearities. ``spatial``:
convolutions that see neighbors, and ``kernels``: sum of the logarithms of their kernels. ``even spatial`` and ``even
params``: spatial convolutions and weights at each resolution, as sums of logarithms, which are large where no
resolution has few. ``field``: logarithm of the receptive field's side in pixels, as if the image had no edges.
"""


@dataclass(frozen=True, slots=True)
class LayerTraits:
    """A convolution or linear layer.

    Attributes:
        kernel: Side of its kernel; 1 for linear layers.
        flops: Multiply-adds.
        weights: Weights, biases left out.
        area: Positions that it writes: 1 where no image is left.
    """

    kernel: int
    flops: int
    weights: int
    area: int


@dataclass(frozen=True, slots=True)
class BlockTraits:
    """A block of a network, or a single operation.

    Attributes:
        layers: Its convolutions and linear layers.
        activations: Its nonlinearities.
        longest: Most layers on a way from an input to its output.
        depth: Layers on the mean of all ways.
        ways: Number of ways; 0 where no input matters.
        reach: Pixels of its input that an output sees beyond its own, per axis.
    """

    layers: tuple[LayerTraits, ...] = ()
    activations: int = 0
    longest: int = 0
    depth: float = 0.0
    ways: float = 1.0
    reach: int = 0


@dataclass(frozen=True, slots=True)
class TraitStep:
    """A block that runs.

    Attributes:
        block: What it is.
        reads: Numbers of the values that it reads, 0 the image; the same one twice counts as two ways.
        writes: Number of the value that it writes.
        size: Elements of that value.
        area: Positions of the value that it reads.
    """

    block: BlockTraits
    reads: tuple[int, ...]
    writes: int
    size: int
    area: int


@dataclass(slots=True)
class _Ways:
    """Ways from the image to a value."""

    longest: float = 0.0
    depth: float = 0.0
    count: float = 0.0
    """Logarithm of their number; minus infinity: none."""
    field: float = 1.0


def network_traits(steps: Sequence[TraitStep], output: int, area: int) -> np.ndarray:
    """Return the traits of a network, float64 of shape ``(len(TRAITS),)``.

    Args:
        steps: Its blocks in the order in which they run.
        output: Number of the value that comes out.
        area: Positions of the image.
    """
    ways = {0: _Ways()}
    for step in steps:
        ways[step.writes] = _joined([ways[number] for number in step.reads], step, area)
    layers = [layer for step in steps for layer in step.block.layers]
    spatial = [layer for layer in layers if layer.kernel > 1]
    found, end = dict.fromkeys(TRAITS, 0.0), ways.get(output, _Ways())
    found["flops"] = math.log(max(1, sum(layer.flops for layer in layers)))
    found["params"] = math.log(max(1, sum(layer.weights for layer in layers)))
    found["memory"] = math.log(max(1, sum(step.size for step in steps)))
    found["layers"], found["spatial"] = len(layers), len(spatial)
    found["longest"], found["depth"], found["field"] = end.longest, end.depth, math.log(end.field)
    found["activations"] = sum(step.block.activations for step in steps)
    found["kernels"] = sum(math.log(layer.kernel) for layer in spatial)
    areas = {layer.area for layer in layers if layer.area > 1} or {1}
    for one in areas:
        here = [layer for layer in layers if layer.area == one]
        found["even spatial"] += math.log(1 + sum(layer.kernel > 1 for layer in here))
        found["even params"] += math.log(1 + sum(layer.weights for layer in here))
    return np.array([found[name] for name in TRAITS], dtype=np.float64)


def _joined(read: Sequence[_Ways], step: TraitStep, area: int) -> _Ways:
    """Return the ways to what a block writes: those to all that it reads, each longer by the block."""
    block = step.block
    live = [one for one in read if one.count > -math.inf]
    if not live or block.ways <= 0:
        return _Ways(count=-math.inf)
    most = max(one.count for one in live)
    shares = [math.exp(one.count - most) for one in live]
    total = sum(shares)
    pixels = math.sqrt(area / max(1, step.area))  # of the image, for each position read
    return _Ways(
        longest=max(one.longest for one in live) + block.longest,
        depth=sum(share * one.depth for share, one in zip(shares, live, strict=True)) / total + block.depth,
        count=most + math.log(total * block.ways),
        field=max(one.field for one in live) + block.reach * pixels,
    )
