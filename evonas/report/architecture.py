"""Drawing an architecture of any space."""

from __future__ import annotations

from evonas.errors import SpaceError
from evonas.report.cells import draw_cells
from evonas.report.drawing import Drawing
from evonas.report.stages import draw_stages
from evonas.spaces import Architecture, CellArchitecture, CellSpace, Skeleton, Space, StageArchitecture, StageSpace


def draw_architecture(space: Space, architecture: Architecture, skeleton: Skeleton | None = None) -> Drawing:
    """Draw an architecture: cells as graphs, stages as blocks.

    Args:
        space: Its space.
        architecture: As written, or canonical: then without its dead parts.
        skeleton: The frame it is hung in, where known.

    Raises:
        SpaceError: The space is of another family.
    """
    if isinstance(space, CellSpace) and isinstance(architecture, CellArchitecture):
        return draw_cells(space, architecture)
    if isinstance(space, StageSpace) and isinstance(architecture, StageArchitecture):
        return draw_stages(space, architecture, skeleton)
    raise SpaceError(
        f"Expected an architecture of a cell or a stage space to draw, got {type(architecture).__name__} of "
        f"'{space.name}'"
    )
