"""Pictures of stage spaces and of their architectures."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.spaces.definition_stage import CandidateTable, StageFile
from evonas.spaces.picture import ChainPicture, PicturedBlock, PicturedStage
from evonas.spaces.skeleton import Skeleton


def picture_chain(
    definition: StageFile,
    blocks: Sequence[tuple[PicturedBlock, ...]],
    resolution: int | None,
    skeleton: Skeleton | None = None,
) -> ChainPicture:
    """Return the picture of an architecture.

    Args:
        definition: Content of the space's file.
        blocks: Blocks of each stage.
        resolution: Side of the image where the architecture chooses it.
        skeleton: Gives strides, features and the multiplier of widths; None: the space's own.
    """
    stem, stages, head = definition.stem, definition.stages, definition.head
    strides = (skeleton.strides if skeleton else ()) or (stem.stride, *(stage.stride for stage in stages))
    return ChainPicture(
        channels=stem.channels,
        kernel=stem.kernel,
        stride=strides[0],
        stages=tuple(
            PicturedStage(stage.width, stride, stage.se or any(one.gated and one.runs for one in row), row)
            for stage, stride, row in zip(stages, strides[1:], blocks, strict=True)
        ),
        features=(skeleton.features if skeleton else 0) or head.features,
        hidden=head.hidden,
        width=skeleton.width if skeleton else 1.0,
        resolution=resolution,
    )


def picture_operation(name: str, table: CandidateTable, runs: bool) -> PicturedBlock:
    """Return the picture of a block that runs an operation."""
    if table.kind == "identity":
        return PicturedBlock(name, runs)
    return PicturedBlock(name, runs, table.kernel, table.expand, table.groups, table.se)


def sorted_choices(definition: StageFile) -> dict[str, tuple[str | int, ...]]:
    """Return names of operations, and the kernels, expansions and depths of stages with elastic blocks, by sort."""
    stages = [stage for stage in definition.stages if stage.kernel and stage.chooses]
    found: dict[str, tuple[str | int, ...]] = {
        "operation": tuple(definition.operations),
        "kernel": tuple(sorted({kernel for stage in stages for kernel in stage.kernel})),
        "expansion": tuple(sorted({expand for stage in stages for expand in stage.expand})),
        "depth": tuple(sorted({depth for stage in stages for depth in stage.depth})),
    }
    return {sort: options for sort, options in found.items() if options}
