"""The sandwich rule with in-place distillation (Yu et al. 2020, "BigNAS", ECCV; Yu and Huang 2019, "Universally
slimmable networks", ICCV), for spaces of stages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.errors import SettingsError
from evonas.spaces import Space, StageArchitecture, StageSpace
from evonas.supernet.rules.contract import Pass, RuleContext
from evonas.supernet.rules.uniform import Uniform


class Sandwich(Uniform):
    """In one update: the largest path by the labels, then some random ones and the smallest by its outputs.

    What is trained between the bounds of a space is trained with them; the largest, which all elastic weights
    are parts of, teaches the others. Once-for-All (Cai et al. 2020) shrinks step by step instead.

    Args:
        context: What it trains.
        paths: Random paths of an update, at least 0.
        distill: Whether the others imitate the largest path's outputs, or read the labels too.

    Raises:
        SettingsError: The space has no stages, or a number is out of range.
    """

    def __init__(self, context: RuleContext, *, paths: int = 2, distill: bool = True) -> None:
        super().__init__(context)
        if paths < 0:
            raise SettingsError(f"Expected 0 random paths or more, got {paths}")
        smallest, largest = extremes(context.space)
        self._smallest, self._largest = context.pass_of(smallest), context.pass_of(largest)
        self._paths, self._distill = paths, distill

    def plan(self, rng: np.random.Generator) -> list[Pass]:
        """Return the largest, the random and the smallest path; their losses are averaged."""
        others = [*(self._context.draw(rng) for _ in range(self._paths)), self._smallest]
        teacher = self._largest.path if self._distill else None
        weight = 1.0 / (1 + len(others))
        return [
            Pass(self._largest.path, weight, None, self._largest.architecture),
            *(Pass(one.path, weight, teacher, one.architecture) for one in others),
        ]


def extremes(space: Space) -> tuple[StageArchitecture, StageArchitecture]:
    """Return the smallest and the largest architecture of a space of stages, canonical.

    Larger is a larger expansion, then a larger kernel; more blocks; a higher resolution. Identities are smallest.

    Raises:
        SettingsError: The space has no stages: its architectures have no order.
    """
    if not isinstance(space, StageSpace):
        raise SettingsError(f"Expected a space of stages, whose paths have a largest, got '{space.name}'")
    ends = []
    for end in (0, -1):
        blocks = [
            [sorted(options, key=lambda option: _size(space, option))[end] for options in stage]
            for stage in space.free_options
        ]
        depths = [sorted(_depths(space, i))[end] for i in space.free]
        resolution = sorted(space.definition.resolutions)[end] if space.definition.resolutions else None
        ends.append(space.canonical(space.assemble(blocks, depths, resolution)))
    return ends[0], ends[1]


def _depths(space: StageSpace, stage: int) -> Sequence[int]:
    definition = space.definition.stages[stage]
    return definition.depth or (definition.blocks,)


def _size(space: StageSpace, option: str) -> tuple[float, int]:
    """Return expansion (per group) and kernel of an option."""
    from evonas.networks.stage import sizes

    if option not in space.operation_of:
        kernel, expand = sizes(option)
        return float(expand), kernel
    operation = space.definition.operations[space.operation_of[option]]
    if operation.kind == "identity":
        return 0.0, 0
    return operation.expand / operation.groups, operation.kernel
