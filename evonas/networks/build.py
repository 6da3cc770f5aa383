"""Building networks and giving them their first weights."""

from __future__ import annotations

import math

import torch
from torch import nn

from evonas.networks.cell import CellNetwork
from evonas.networks.elastic import ElasticConv2d
from evonas.networks.network import Network
from evonas.networks.side_by_side import SideBySide
from evonas.networks.stage import StageNetwork
from evonas.spaces import Architecture, CellSpace, Skeleton, Space, StageSpace

_NETWORKS: dict[type[Space], type[Network]] = {CellSpace: CellNetwork, StageSpace: StageNetwork}


def build(space: Space, skeleton: Skeleton, architecture: Architecture | None = None, *, seed: int = 0) -> Network:
    """Build the stand-alone network of an architecture as written, or the supernet.

    Args:
        space: The space.
        skeleton: Channels, cells, width, resolution, input channels, classes.
        architecture: A member of the space; a canonical one is built without its dead parts, one that
            chooses its resolution with that. None: the supernet.
        seed: Of the initial weights; torch's global generator is left alone.

    Returns:
        The network on the CPU, in training mode.
    """
    family = next(cls for cls in type(space).__mro__ if cls in _NETWORKS)
    kind = SideBySide if skeleton.apart and family is CellSpace else _NETWORKS[family]
    with torch.device("meta"):
        network = kind(space, skeleton, architecture)
    if torch.get_default_device().type == "meta":  # the caller wants the structure only
        return network
    network.to_empty(device="cpu")
    initialize(network, torch.Generator().manual_seed(seed))
    return network


@torch.no_grad()
def initialize(network: nn.Module, generator: torch.Generator) -> None:
    """Draw fresh weights: He's normal for convolutions, 1/sqrt(fan-in) uniform for linear layers.

    Args:
        network: Any module of convolutions, batch norms and linear layers.
        generator: Source of randomness.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            fan_in = module.weight[0].numel()
            module.weight.normal_(0, math.sqrt(2 / fan_in), generator=generator)
            if module.bias is not None:
                module.bias.zero_()
            if isinstance(module, ElasticConv2d):
                for matrix in module.maps.values():
                    matrix.copy_(torch.eye(len(matrix)))
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            module.weight.uniform_(-bound, bound, generator=generator)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            if module.affine:
                module.weight.fill_(1)
                module.bias.zero_()
