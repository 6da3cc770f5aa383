"""The four discretization policies of LHD: from a search's weights to the network that was trained.

References:
    .. [Chao2023] Chao et al.: Rethink DARTS Search Space and Renovate a New Benchmark, ICML 2023,
       arXiv 2306.06852.
"""

from __future__ import annotations

from typing import cast

import torch

from evonas.errors import SpaceError, suggest
from evonas.networks.build import build
from evonas.spaces import CellArchitecture, CellSpace, CellWeights, Skeleton, discretize, load_space

POLICIES = ("Base", "1M", "3ops", "4out")
"""Two pairs per node and outputs by weight; the same in 25 cells of 1.5 million parameters; three pairs; four
nodes in either output."""


def import_lhd(
    normal: CellWeights, reduce: CellWeights, policy: str = "Base"
) -> tuple[CellSpace, CellArchitecture, Skeleton]:
    """Return space, architecture and skeleton of the CIFAR network that a policy makes of weights.

    Args:
        normal: Weights of the normal cell: operations ``(20, 7)``, outputs ``(2, 5)``.
        reduce: Weights of the reduction cell.
        policy: One of `POLICIES`, in any case.

    Raises:
        SpaceError: Unknown policy, or weights of another shape.
    """
    policies = {name.lower(): name for name in POLICIES}
    if policy.lower() not in policies:
        raise SpaceError(
            f"Expected one of the policies {', '.join(policies)}, got '{policy}'.{suggest(policy.lower(), policies)}"
        )
    policy = policies[policy.lower()]
    space = cast(CellSpace, load_space("lhd_3ops" if policy == "3ops" else "lhd"))
    architecture = discretize(space, (normal, reduce), most=4 if policy == "4out" else None)
    skeleton = space.skeleton("cifar")
    if policy == "1M":
        skeleton = skeleton.replace(cells=25)
        while _parameters(space, skeleton, architecture) < 1_500_000:
            skeleton = skeleton.replace(channels=skeleton.channels + 2)
    return space, architecture, skeleton


def _parameters(space: CellSpace, skeleton: Skeleton, architecture: CellArchitecture) -> int:
    with torch.device("meta"):
        network = build(space, skeleton, architecture)
    return sum(parameter.numel() for parameter in network.parameters())
