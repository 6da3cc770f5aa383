"""The stage family: stages of inverted bottlenecks, each block with options (MobileNets, OFA, FBNet).

References:
    .. [Cai2020] Cai et al.: Once-for-All, ICLR 2020, arXiv 1908.09791.
    .. [Cai2019] Cai, Zhu, Han: ProxylessNAS, ICLR 2019, arXiv 1812.00332.
    .. [Su2021] Su et al.: Prioritized Architecture Sampling with Monto-Carlo Tree Search (NAS-Bench-Macro),
       CVPR 2021, arXiv 2103.11922.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np

from evonas.errors import SettingsError, SpaceError
from evonas.spaces.architecture import StageArchitecture
from evonas.spaces.candidate import SEPARATOR
from evonas.spaces.definition_stage import StageFile, StageTable
from evonas.spaces.parts import count_stage_parts
from evonas.spaces.path import BlockDecision, Path, Step
from evonas.spaces.picture import ChainPicture, PicturedBlock
from evonas.spaces.picture_stage import picture_chain, picture_operation, sorted_choices
from evonas.spaces.skeleton import Skeleton
from evonas.spaces.space import Space
from evonas.spaces.stage_genes import StageGenes
from evonas.spaces.sums import sum_blocks
from evonas.spaces.text import read


class Sizes(NamedTuple):
    """Kernel and expansion of a block."""

    kernel: int
    expand: int


class StageSpace(Space[StageArchitecture]):
    """A space whose architectures give every block an option and every stage a depth.

    Genes: for elastic blocks all kernels, then all expansions (the order of Once-for-All); for blocks with
    candidates the candidate; then the depths; then the resolution. Choices with one option have no gene.

    Args:
        definition: Content of the space's file.
        most_blocks: Most blocks of each stage that may run; empty: all. Deeper members, and genes of blocks that
            never run, are left out; architectures and their texts stay those of the whole space.

    Attributes:
        elastic: Kernel and expansion of each option of the elastic blocks, such as ``k5e6``.
        options: Option names of every block, stage by stage, fixed ones included.
        free: Numbers of the stages that have a choice.
        free_options: Option names of the blocks of the stages that have a choice; architectures hold these only.
        free_depths: Depths of these stages.
        uniform: Whether all blocks of each of these stages run one operation.
    """

    definition: StageFile
    published_on = ("imagenet", "cifar", "small")
    unread = frozenset({"channels", "cells", "stem", "apart"})

    def __init__(self, definition: StageFile, most_blocks: tuple[int, ...] = ()) -> None:
        super().__init__(definition)
        stages = definition.stages
        self.most_blocks = most_blocks or tuple(stage.blocks for stage in stages)
        code = _codes(definition)
        self.operation_of = {option: name for name, option in code.items()}
        self._identity = {code[name] for name, table in definition.operations.items() if table.kind == "identity"}
        pairs = {sizes for stage in stages for sizes in _sizes(stage)}
        self.elastic = {_elastic_name(sizes): sizes for sizes in sorted(pairs)}
        self.options = tuple(_options(stage, code) for stage in stages)
        # Made once: a path is put together, hashed and compared more often than a network runs.
        self._steps = tuple(_stage_steps(i, stage) for i, stage in enumerate(self.options))
        self.free = tuple(i for i, stage in enumerate(stages) if stage.chooses)
        self.free_options = tuple(self.options[i] for i in self.free)
        self.free_blocks = sum(len(stage) for stage in self.free_options)
        self.free_depths = tuple(_depths(stages[i], self.most_blocks[i]) for i in self.free)
        self.uniform = tuple(stages[i].uniform for i in self.free)
        self._genes = StageGenes(
            stages, self.free, self.free_options, self.free_depths, definition.resolutions, self.most_blocks
        )
        self._set_choices(self._genes.choices, self._genes.ordered)

    def under(self, skeleton: Skeleton) -> StageSpace:
        """Return the members that differ on a skeleton, which may be less deep than the space.

        Raises:
            SpaceError: A stage of the skeleton has a number of blocks that no member has.
        """
        if not skeleton.blocks or skeleton.blocks == self.most_blocks:
            return self
        if len(skeleton.blocks) != len(self.most_blocks):
            raise SpaceError(
                f"Space '{self.name}' has {len(self.most_blocks)} stages, the skeleton gives the blocks of "
                f"{len(skeleton.blocks)}"
            )
        for i, depths in zip(self.free, self.free_depths, strict=True):
            if skeleton.blocks[i] not in depths:
                raise SpaceError(f"Stage {i} of '{self.name}' has a depth of {depths}, got {skeleton.blocks[i]}")
        return StageSpace(self.definition, skeleton.blocks)

    @property
    def size(self) -> int:
        """Number of active configurations: options of blocks beyond a stage's depth do not count."""
        total = max(1, len(self.definition.resolutions))
        for options, depths, uniform in zip(self.free_options, self.free_depths, self.uniform, strict=True):
            if uniform:
                total *= len(options[0]) * len(depths)
            else:
                total *= sum(math.prod(len(o) for o in options[:depth]) for depth in depths)
        return total

    def sample(self, n: int, rng: np.random.Generator, by: str = "size") -> np.ndarray:
        """Draw genomes; genes of blocks that do not run are 0 when drawn by size."""
        self._check_by(by)
        genomes = rng.integers(0, self.cardinalities, size=(n, len(self.choices))).astype(np.int16)
        if by == "size":
            self._genes.draw_depths(genomes, rng)
        return genomes

    def decode(self, genome: Sequence[int] | np.ndarray) -> StageArchitecture:
        """Return the architecture a genome means, options of blocks that do not run included."""
        return StageArchitecture(self.definition.form, *self._genes.decode(self.check_genome(genome)))

    def encode(self, architecture: StageArchitecture) -> np.ndarray:
        """Return a genome of shape ``(n_choices,)`` that decodes to the architecture."""
        if not isinstance(architecture, StageArchitecture):
            raise SpaceError(f"Expected an architecture of space '{self.name}', got {architecture}")
        resolution = architecture.resolution if self.definition.resolutions else None  # else a gene of the search
        checked = self.assemble(architecture.blocks, architecture.depths, resolution)
        return self._genes.encode(checked.blocks, checked.depths, checked.resolution)

    def assemble(
        self,
        blocks: Sequence[Sequence[str]],
        depths: Sequence[int] | None = None,
        resolution: int | None = None,
    ) -> StageArchitecture:
        """Put an architecture together from options of the free stages, checked.

        Args:
            blocks: Option of every block of the stages that have a choice.
            depths: Blocks that run, per such stage; None: all.
            resolution: Input side, where the space chooses it.

        Raises:
            SpaceError: Not a member of this space.
        """
        stages = tuple(tuple(stage) for stage in blocks)
        if [len(stage) for stage in stages] != [len(options) for options in self.free_options]:
            raise SpaceError(
                f"expected stages of {[len(options) for options in self.free_options]} blocks, "
                f"got {[len(stage) for stage in stages]}"
            )
        for i, stage, options in zip(self.free, stages, self.free_options, strict=True):
            for b, (option, known) in enumerate(zip(stage, options, strict=True)):
                if option not in known:
                    raise SpaceError(f"stage {i}, block {b} is one of {', '.join(known)}, got {option!r:.40}")
        for i, stage, uniform in zip(self.free, stages, self.uniform, strict=True):
            if uniform and len(set(stage)) > 1:
                raise SpaceError(f"all blocks of stage {i} run one operation, got {', '.join(stage):.60}")
        depths = tuple(choices[-1] for choices in self.free_depths) if depths is None else tuple(depths)
        if len(depths) != len(self.free_depths):
            raise SpaceError(f"expected {len(self.free_depths)} depths, got {len(depths)}")
        for i, depth, choices in zip(self.free, depths, self.free_depths, strict=True):
            if depth not in choices:
                raise SpaceError(f"stage {i} has a depth of {choices}, got {depth!r:.40}")
        resolutions = self.definition.resolutions
        if resolutions and resolution not in resolutions:
            raise SpaceError(f"the resolution is one of {resolutions}, got {resolution!r:.40}")
        if not resolutions and resolution is not None:
            raise SpaceError(f"the resolution is the skeleton's in this space, got {resolution!r:.40}")
        return StageArchitecture(self.definition.form, stages, depths, resolution)

    def canonical(self, architecture: StageArchitecture) -> StageArchitecture:
        """Return the representative: idle blocks hold the first option, identities come last in their stage.

        Behind its first block all blocks of a stage have one shape, so a block that is the identity may stand
        anywhere among them.
        """
        stages = []
        for options, stage, depth, uniform in zip(
            self.free_options, architecture.blocks, architecture.depths, self.uniform, strict=True
        ):
            if uniform:
                stages.append(stage)
                continue
            live = stage[:depth]
            if self._identities_move(options):
                moved = [option for option in live[1:] if option not in self._identity]
                live = (live[0], *moved, *(option for option in live[1:] if option in self._identity))
            stages.append((*live, *(known[0] for known in options[depth:])))
        return StageArchitecture(architecture.form, tuple(stages), architecture.depths, architecture.resolution, True)

    def multiplicity(self, architecture: StageArchitecture) -> int:
        """Return how many active configurations share the canonical form: where its identities may stand."""
        count = 1
        for options, stage, depth, uniform in zip(
            self.free_options, architecture.blocks, architecture.depths, self.uniform, strict=True
        ):
            if not uniform and self._identities_move(options):
                identities = sum(option in self._identity for option in stage[1:depth])
                count *= math.comb(depth - 1, identities)
        return count

    def extremes(self) -> tuple[StageArchitecture, StageArchitecture]:
        """Return the smallest and the largest architecture, canonical.

        Larger is a larger expansion, then a larger kernel; more blocks; a higher resolution. Identities are
        smallest.
        """
        ends = []
        for end in (0, -1):
            blocks = [[sorted(options, key=self._extent)[end] for options in stage] for stage in self.free_options]
            depths = [sorted(choices)[end] for choices in self.free_depths]
            resolutions = self.definition.resolutions
            resolution = sorted(resolutions)[end] if resolutions else None
            ends.append(self.canonical(self.assemble(blocks, depths, resolution)))
        return ends[0], ends[1]

    def sums(
        self, costs: Callable[[StageArchitecture], np.ndarray], prune: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """Return the costs of all architectures that pruning keeps; see `Space.sums`."""
        if self.definition.resolutions:
            return super().sums(costs, prune)
        return sum_blocks(
            self.free_options,
            self.free_depths,
            self.uniform,
            lambda blocks, depths: costs(self.assemble(blocks, depths)),
            prune,
        )

    def _extent(self, option: str) -> tuple[float, int]:
        """Return expansion (per group) and kernel of an option."""
        if option not in self.operation_of:
            return float(self.elastic[option].expand), self.elastic[option].kernel
        table = self.definition.operations[self.operation_of[option]]
        return (0.0, 0) if table.kind == "identity" else (table.expand / table.groups, table.kernel)

    def picture(self, architecture: StageArchitecture, skeleton: Skeleton | None = None) -> ChainPicture:
        """Return the chain of blocks, those beyond a stage's depth included; see `Space.picture`."""
        if not isinstance(architecture, StageArchitecture):
            raise SpaceError(f"Expected an architecture of space '{self.name}', got {architecture}")
        rows = [
            tuple(self._pictured(option, b < depth) for b, option in enumerate(options))
            for options, depth in self._all_stages(architecture)
        ]
        return picture_chain(self.definition, rows, architecture.resolution, skeleton)

    def _pictured(self, option: str, runs: bool) -> PicturedBlock:
        if option not in self.operation_of:
            return PicturedBlock(option, runs, *self.elastic[option])
        name = self.operation_of[option]
        return picture_operation(name, self.definition.operations[name], runs)

    def count_parts(self, architecture: StageArchitecture) -> dict[str, Mapping[str, float]]:
        """Return options and pairs of neighbors; see `count_stage_parts`."""
        return count_stage_parts(architecture)

    def describe_choices(self) -> dict[str, tuple[str | int, ...]]:
        """Return names of operations, and the kernels, expansions and depths of stages with elastic blocks."""
        return sorted_choices(self.definition)

    def describe_skeleton(self, name: str) -> dict[str, Any]:
        """Return the fields that networks read, those filled in that the skeleton leaves to the space."""
        fields = super().describe_skeleton(name)
        strides = (self.definition.stem.stride, *(stage.stride for stage in self.definition.stages))
        own = {
            "strides": strides,
            "features": self.definition.head.features,
            "blocks": tuple(stage.blocks for stage in self.definition.stages),
            "norm_eps": self.definition.norm_eps,
        }
        return fields | {name: fields[name] or value for name, value in own.items()}

    def skeleton_changes(self, channels: int) -> dict[str, Any]:
        """Return the multiplier of all widths that gives the stem this many channels.

        Raises:
            SettingsError: No multiplier does, for the stem keeps its channels.
        """
        if not self.definition.stem.scaled:
            raise SettingsError(
                f"The stem of space '{self.name}' has {self.definition.stem.channels} channels at every width, "
                f"got {channels}: set the width instead"
            )
        return {"width": channels / self.definition.stem.channels}

    def _identities_move(self, options: tuple[tuple[str, ...], ...]) -> bool:
        return bool(self._identity) and len(set(options[1:])) == 1

    def path(self, architecture: StageArchitecture) -> Path:
        """Return the option of every block that runs, fixed stages included."""
        steps: list[Step] = []
        for known, (blocks, depth) in zip(self._steps, self._all_stages(architecture), strict=True):
            steps += [known[b][option] for b, option in enumerate(blocks[:depth])]
        return tuple(steps)

    def _all_stages(self, architecture: StageArchitecture) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield options and depth of every stage, those without a choice included."""
        chosen = iter(zip(architecture.blocks, architecture.depths, strict=True))
        for i, options in enumerate(self.options):
            yield next(chosen) if i in self.free else (tuple(known[0] for known in options), len(options))

    def parse(self, text: str) -> StageArchitecture:
        """Read an architecture from a text form of the literature, as written.

        Of a candidate's text with a square resolution of its own the architecture has that.
        """
        form, _, rest = text.partition(SEPARATOR) if isinstance(text, str) else (text, "", "")
        match = re.fullmatch(r"(\d+)x(\d+)(?: @ .*)?", rest)
        if match is None or match[1] != match[2]:
            return cast(StageArchitecture, read(text, self))
        return replace(cast(StageArchitecture, read(form, self)), resolution=int(match[1]))


def _codes(definition: StageFile) -> dict[str, str]:
    """Return what each operation is called in texts: its digit or its sizes where the form has them, else its name."""
    tables = definition.operations
    if definition.form == "stages":
        return {name: f"k{one.kernel}e{one.expand}{'s' if one.se else ''}" for name, one in tables.items()}
    digits = definition.form == "digits"
    return {name: table.code if digits and table.code else name for name, table in tables.items()}


def _sizes(stage: StageTable) -> list[Sizes]:
    """Return the sizes that blocks of an elastic stage may have, in order; none of a stage of operations."""
    return [Sizes(kernel, expand) for kernel in stage.kernel for expand in stage.expand]


def _elastic_name(sizes: Sizes) -> str:
    return f"k{sizes.kernel}e{sizes.expand}"


def _options(stage: StageTable, code: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Return the option names of each block of a stage."""
    if stage.kernel:
        return (tuple(_elastic_name(sizes) for sizes in _sizes(stage)),) * stage.blocks
    return tuple(tuple(code[name] for name in stage.candidates(block)) for block in range(stage.blocks))


def _stage_steps(number: int, options: Sequence[Sequence[str]]) -> tuple[dict[str, Step], ...]:
    """Return the steps of a path through each block of a stage, by option."""
    return tuple({one: Step(BlockDecision(number, b), one) for one in block} for b, block in enumerate(options))


def _depths(stage: StageTable, most: int) -> tuple[int, ...]:
    """Return the numbers of blocks that a stage may have, where a skeleton allows at most some."""
    return tuple(depth for depth in stage.depth or (stage.blocks,) if depth <= most)
