"""Order of channels by importance, so that a slice of the first ones keeps what matters ([Cai2020]_, section 3.3).

References:
    .. [Cai2020] Cai et al.: Once-for-All, ICLR 2020, arXiv 1908.09791.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from evonas.networks.mbconv import MBConv
from evonas.networks.network import Network


@torch.no_grad()
def sort_channels(network: Network) -> int:
    """Order the inner channels of every elastic block by importance, the most important first.

    Weights move, none changes: the largest path computes what it did before, to the rounding of sums.

    Args:
        network: A supernet.

    Returns:
        How many blocks were sorted: those that expand by more than one factor.
    """
    count = 0
    for _, slot in network.slots():
        for block in slot.children():
            if isinstance(block, MBConv) and block.elastic and block.expand is not None:
                permute_channels(block, channel_importance(block).argsort(descending=True, stable=True))
                count += 1
    return count


def channel_importance(block: MBConv) -> Tensor:
    """Importance of each inner channel: its mean activation times the L1 norm of the weights that read it.

    The mean activation follows from the depthwise norm, whose output has mean beta and deviation gamma on the images
    that its statistics are of: E[relu(N(beta, gamma^2))] = beta Phi(beta / gamma) + gamma phi(beta / gamma),
    near enough for ReLU6 and hard swish too.
    Once-for-All takes the L1 norm alone.

    Args:
        block: A block with an inner width.

    Returns:
        Shape (channels,).
    """
    norm = cast(nn.BatchNorm2d, block.depthwise["norm"])
    mean, deviation = norm.bias.double(), norm.weight.double().abs().clamp_min(1e-12)
    ratio = mean / deviation
    cumulative = 0.5 * (1 + torch.erf(ratio / math.sqrt(2)))
    density = torch.exp(-0.5 * ratio.square()) / math.sqrt(2 * math.pi)
    reads = cast(nn.Conv2d, block.project["conv"]).weight.double().abs().sum((0, 2, 3))
    return (mean * cumulative + deviation * density) * reads


@torch.no_grad()
def permute_channels(block: MBConv, order: Tensor) -> None:
    """Bring the inner channels of a block into another order, in place.

    Args:
        block: A block.
        order: Channel i gets what was channel ``order[i]``; shape (channels,).
    """
    if block.expand is not None:
        _reorder(block.expand["conv"], order, 0)
        _reorder(block.expand["norm"], order, 0)
    _reorder(block.depthwise["conv"], order, 0)
    _reorder(block.depthwise["norm"], order, 0)
    if block.se is not None:
        _reorder(block.se.reduce, order, 1)
        _reorder(block.se.expand, order, 0)
    _reorder(block.project["conv"], order, 1)


def _reorder(layer: nn.Module, order: Tensor, side: int) -> None:
    """Reorder a layer's weight along a side, and what has one value per channel where that is the written side."""
    for name, tensor in (*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)):
        if name == "weight" or (tensor.dim() == 1 and side == 0):
            tensor.copy_(tensor.index_select(side if name == "weight" else 0, order.to(tensor.device)))
