"""Search spaces: what may be searched, as data.

A `Space` is read from a TOML file (`load_space`). It samples genomes, decodes them to architectures, writes
and reads the literature's text forms, and gives every architecture a canonical form. Two families stand here:
`CellSpace` (graphs of operations, stacked) and `StageSpace` (stages of inverted bottlenecks).
"""

from evonas.spaces.architecture import Architecture, CellArchitecture, StageArchitecture
from evonas.spaces.candidate import Candidate, Recipe, as_candidates, parse_candidate
from evonas.spaces.cell import CellSpace
from evonas.spaces.discretize import CellWeights, discretize
from evonas.spaces.graph import Cell, Edge
from evonas.spaces.path import Decision, Path, Step, path_names
from evonas.spaces.skeleton import Skeleton
from evonas.spaces.space import Space
from evonas.spaces.stage import StageSpace
from evonas.spaces.toml import load_space, shipped

__all__ = [
    "Architecture",
    "Candidate",
    "Cell",
    "CellArchitecture",
    "CellSpace",
    "CellWeights",
    "Decision",
    "Edge",
    "Path",
    "Recipe",
    "Skeleton",
    "Space",
    "StageArchitecture",
    "StageSpace",
    "Step",
    "as_candidates",
    "discretize",
    "load_space",
    "parse_candidate",
    "path_names",
    "shipped",
]
