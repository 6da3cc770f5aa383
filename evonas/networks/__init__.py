"""Networks: operations, and the one `Network` of each family.

`build(space, skeleton)` gives the supernet, `build(space, skeleton, architecture)` a stand-alone network; both are
the same class with the same state-dict keys. A `Slot` is where they differ: it holds all candidates or one.
"""

from evonas.networks.build import build, initialize
from evonas.networks.cell import CellNetwork
from evonas.networks.lhd import import_lhd
from evonas.networks.network import EVERY_PATH, Branched, Gate, Network, PlacedBlock, Slot
from evonas.networks.side_by_side import SideBySide
from evonas.networks.stage import StageNetwork

__all__ = [
    "EVERY_PATH",
    "Branched",
    "CellNetwork",
    "Gate",
    "Network",
    "PlacedBlock",
    "SideBySide",
    "Slot",
    "StageNetwork",
    "build",
    "import_lhd",
    "initialize",
]
