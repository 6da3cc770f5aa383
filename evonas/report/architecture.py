"""Drawing an architecture of any space."""

from __future__ import annotations

from evonas.report.cells import draw_cells
from evonas.report.drawing import Drawing
from evonas.report.stages import draw_stages
from evonas.spaces import Architecture, Skeleton, Space
from evonas.spaces.picture import ChainPicture


def draw_architecture(space: Space, architecture: Architecture, skeleton: Skeleton | None = None) -> Drawing:
    """Draw an architecture: cells as graphs, stages as blocks.

    Args:
        space: Its space.
        architecture: As written, or canonical: then without its dead parts.
        skeleton: The skeleton it is built on, where known.

    Raises:
        SpaceError: The architecture is of another space.
    """
    picture = space.picture(architecture, skeleton)
    if isinstance(picture, ChainPicture):
        return draw_stages(space.name, picture)
    return draw_cells(space.name, picture)
