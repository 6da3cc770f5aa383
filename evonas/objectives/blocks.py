"""The blocks of a supernet: which modules its slots may run, and on what inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import nn

from evonas.networks import Network, Slot, build
from evonas.spaces import Architecture, Skeleton, Space

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """A module and the shape of its input, batch included; equal blocks cost the same.

    Attributes:
        key: The module's layers with all their sizes, and the shape: what tells blocks apart.
        module: The module; its weights mean nothing.
        shape: Shape of the input.
    """

    key: str
    module: nn.Module
    shape: Shape


class Blocks:
    """Every (decision, option) of a space on a skeleton, and the blocks that it brings.

    A candidate that sits in several slots of one decision (equal cells of a stack) brings a block for each.

    Args:
        space: The space.
        skeleton: The skeleton.

    Attributes:
        entries: ``"decision.option"`` to the blocks it brings, one per slot.
    """

    def __init__(self, space: Space, skeleton: Skeleton) -> None:
        self.space, self.skeleton = space, skeleton
        # Without values: shapes are all that is asked for.
        with torch.device("meta"):
            network = build(space, skeleton).eval()
        shapes = _input_shapes(network, skeleton)
        self.entries: dict[str, list[Block]] = {}
        for name, slot in network.slots():
            for option in slot.options:
                module = slot.candidate(option)
                shape = slot_input(slot, option, shapes[name])
                block = Block(f"{module} {shape}", module, shape)
                self.entries.setdefault(f"{slot.decision}.{option}", []).append(block)

    @cached_property
    def distinct(self) -> dict[str, Block]:
        """Blocks that differ, by key."""
        return {block.key: block for blocks in self.entries.values() for block in blocks}

    def table(self, measured: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return for each entry of a path the sum of what its blocks cost.

        Args:
            measured: Block key to a vector of costs.
        """
        return {
            name: np.sum([measured[block.key] for block in blocks], axis=0)
            for name, blocks in self.entries.items()
        }

    def whole(self, architecture: Architecture) -> Network:
        """Return the stand-alone network of an architecture, without values."""
        with torch.device("meta"):
            return build(self.space, self.skeleton, architecture).eval()


def add_up(table: Mapping[str, np.ndarray], path: tuple[str, ...], zero: np.ndarray) -> np.ndarray:
    """Return the sum over a path; entries that bring no block in this skeleton cost nothing."""
    total = zero
    for name in path:
        if name in table:
            total = total + table[name]
    return total


def slot_input(slot: Slot, option: str, seen: Shape) -> Shape:
    """Return the shape that an option reads, given the shape seen where the widest option ran."""
    width = getattr(slot, "widths", {}).get(option)
    return seen if width is None else (seen[0], width, *seen[2:])


def _input_shapes(network: Network, skeleton: Skeleton) -> dict[str, Shape]:
    """Return the input shape of every slot, batch 1."""
    shapes: dict[str, Shape] = {}
    handles = []

    def remember(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: tuple, kwargs: dict) -> None:
            shapes[name] = tuple(inputs[0].shape)

        return hook

    for name, slot in network.slots():
        for module in slot.values():
            handles.append(module.register_forward_pre_hook(remember(name), with_kwargs=True))
    image = torch.zeros(1, skeleton.in_channels, skeleton.resolution, skeleton.resolution, device="meta")
    with torch.no_grad():
        for path in network.coverage():
            network(image, path)
    for handle in handles:
        handle.remove()
    return shapes
