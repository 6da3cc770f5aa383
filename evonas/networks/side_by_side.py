"""Networks of one cell of each kind that read the image side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from evonas.errors import SettingsError
from evonas.networks.cell import CellNetwork, state_of_cells
from evonas.networks.network import Network
from evonas.spaces import Architecture, CellSpace, Path, Skeleton


class SideBySide(Network):
    """A network of a cell space whose kinds of cells stand beside one another; see `Network`.

    Each kind is a network of one cell, as wide as ``skeleton.apart`` says. Their pooled features are concatenated,
    their logits added up, which is what one classifier of all features does. In a stack, what a training-free score
    reads of a cell depends on the random cells before it; here it does not.
    """

    space: CellSpace

    def __init__(self, space: CellSpace, skeleton: Skeleton, architecture: Architecture | None) -> None:
        super().__init__(space, skeleton, architecture)
        kinds = space.kinds
        if space.definition.cell.chain in ("stages", "modules") or len(skeleton.apart) != len(kinds):
            raise SettingsError(
                f"A skeleton's 'apart' holds channels for each kind of cell of a chain, {', '.join(kinds)} in space "
                f"'{space.name}', got {list(skeleton.apart)}"
            )
        self.parts = nn.ModuleList(
            CellNetwork(space, skeleton.replace(channels=channels, cells=1, apart=()), architecture, order=(kind,))
            for kind, channels in zip(kinds, skeleton.apart, strict=True)
        )

    def _each(self) -> list[CellNetwork]:
        return [cast(CellNetwork, part) for part in self.parts]

    def run(self, images: Tensor, path: Path) -> Tensor:
        """Run a path; see `Network.forward`."""
        outputs = [part.run(images, path) for part in self._each()]
        return torch.stack(outputs).sum(0) if self.skeleton.head else torch.cat(outputs, 1)

    def coverage(self) -> list[Path]:
        """Return one path that runs everything at once."""
        return [tuple(dict.fromkeys(step for part in self._each() for path in part.coverage() for step in path))]

    def uneven(self, path: Path) -> bool:
        """Return whether a cell runs less than its kind says, since nothing reads it."""
        return any(part.uneven(path) for part in self._each())

    def inherited(self, own: Mapping[str, Tensor], network: Network) -> dict[str, Tensor]:
        """Return a stand-alone network's state, as in a stack of cells."""
        return state_of_cells(own, network)
