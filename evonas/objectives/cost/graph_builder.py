"""Block graphs: the ordered graph of an architecture's network, at the grain of blocks, without running anything.

The network's own forward code runs on symbolic tensors, which have a shape and no values. Where a block would run, a
step is noted and a symbolic tensor of the tabled shape comes out; a block graph takes a fraction of a millisecond and
cannot disagree with the network about what is wired to what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from evonas.files.size import height_width
from evonas.networks import build
from evonas.objectives.cost.block_graph import Block, BlockGraph
from evonas.objectives.cost.symbolic import Hollow, Pen, SymbolicTensor, hollow
from evonas.spaces import Architecture, Candidate, Path, Skeleton, Space, Step


class GraphBuilder:
    """Builder of the block graphs of a space's networks on a skeleton.

    Args:
        space: The space.
        skeleton: The skeleton.
    """

    def __init__(self, space: Space, skeleton: Skeleton) -> None:
        self.space, self.skeleton = space, skeleton
        # Without values: shapes are all that is asked for.
        with torch.device("meta"):
            self._network = build(space, skeleton).eval()
        self._pen = Pen()
        hollow(self._network, self._pen)

    @property
    def blocks(self) -> list[Block]:
        """Distinct blocks met by now."""
        return list(self._pen.blocks.values())

    def __call__(self, architecture: Architecture) -> BlockGraph:
        """Return the block graph of an architecture: as written, or without dead parts if canonical."""
        return self.path(self.space.path(architecture), architecture.resolution)

    def path(self, path: Path, resolution: int | None = None) -> BlockGraph:
        """Return the block graph of a path, at the skeleton's resolution unless another is given."""
        self._pen.block_graph = block_graph = BlockGraph()
        height, width = height_width(resolution or self.skeleton.resolution)
        image = SymbolicTensor(self._pen, (1, self.skeleton.in_channels, height, width))
        block_graph.output = self._network(image, path).number
        return block_graph

    def uneven(self, path: Path) -> bool:
        """Return whether a path's costs are no sums over its options; its block graph holds what runs."""
        return self._network.uneven(path)

    def candidates(self, resolution: int | None = None) -> Iterator[tuple[Step, Block]]:
        """Yield each step of a path with the block that it brings, once per slot.

        Args:
            resolution: Another side of the images than the skeleton's.
        """
        for path in self._network.coverage():
            self.path(path, resolution)
        for _, slot in self._network.slots():
            for option in slot.options:
                hollow_block = slot.module_of(option)
                assert isinstance(hollow_block, Hollow)
                yield Step(slot.decision, option), hollow_block.option(option)

    def always(self, resolution: int | None = None) -> list[Block]:
        """Return the blocks that no choice touches: stem, what stands between stages, classifier."""
        path = self._network.coverage()[0]
        return [step.block for step in self.path(path, resolution).steps if step.fixed]


def all_blocks(graphs: GraphBuilder, resolutions: Sequence[int] = ()) -> dict[str, Block]:
    """Return every block that any architecture runs; joints of blocks by drawing many architectures.

    Args:
        graphs: Builder of the block graphs of the space on the skeleton.
        resolutions: Sides that candidates choose among; none: the skeleton's, or those that architectures have.
    """
    space = graphs.space
    for resolution in resolutions or space.definition.resolutions or (None,):
        for _ in graphs.candidates(resolution):
            pass
    for architecture in draw(space, 300, [0, 22]):
        for candidate in at_each(architecture, resolutions):
            graphs(candidate)
    return {block.key: block for block in graphs.blocks if block.shapes and not block.trace.passes}


def at_each(architecture: Architecture, resolutions: Sequence[int]) -> list[Architecture]:
    """Return an architecture at each of the resolutions that candidates choose among; itself where these are none."""
    if not resolutions:
        return [architecture]
    return [Candidate(architecture, resolution=(side, side)).sized for side in resolutions]


def draw(space: Space, n: int, seed: Sequence[int], resolutions: Sequence[int] = ()) -> list[Architecture]:
    """Return canonical architectures, different ones as far as the space has them; of resolutions each in turn."""
    rng = np.random.default_rng(seed)
    found: dict[str, Architecture] = {}
    spare: list[Architecture] = []
    for _ in range(20):
        for genome in space.sample(n, rng, by="choice"):
            architecture = space.canonical(space.decode(genome))
            if str(architecture) in found:
                spare.append(architecture)
            else:
                found[str(architecture)] = architecture
        if len(found) >= n:
            break
    drawn = [*found.values(), *spare][:n]
    return [at_each(a, resolutions)[i % len(resolutions)] if resolutions else a for i, a in enumerate(drawn)]
