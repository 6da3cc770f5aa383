"""Key maps: the names of a published state dict for the names of our networks."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from evonas.errors import TrainingError
from evonas.networks import Network, PlacedBlock
from evonas.training.weights.entry import WeightsEntry

BLOCK = "block."
COUNTER = ".num_batches_tracked"
"""Of norms: a counter that no output depends on; a file may lack it."""
SHOWN = 5
"""Keys that a message names of each kind."""


def published_keys(entry: WeightsEntry, network: Network) -> dict[str, str]:
    """Own name to published name, for every entry of a network's state dict.

    Args:
        entry: The key map.
        network: The network, with one candidate in every slot, or elastic ones.

    Raises:
        TrainingError: The map does not say what an own name is called there.
    """
    blocks = {block.prefix: block for block in network.blocks()}
    found, lost = {}, []
    for key in network.state_dict():
        prefix = next((prefix for prefix in blocks if key.startswith(prefix)), None)
        name = _outside(entry, key) if prefix is None else _of_block(entry, key.removeprefix(prefix), blocks[prefix])
        if name is None:
            lost.append(key)
        else:
            found[key] = name
    if lost:
        raise TrainingError(f"The key map of '{entry.name}' says nothing of {_some(lost)}: add what they are called")
    return found


def _outside(entry: WeightsEntry, key: str) -> str | None:
    return _renamed({own: name for name, own in entry.keys.items() if not own.startswith(BLOCK)}, key)


def _of_block(entry: WeightsEntry, key: str, block: PlacedBlock) -> str | None:
    table = entry.keys_unexpanded if entry.keys_unexpanded and not block.expanded else entry.keys
    parts = {own.removeprefix(BLOCK): name for name, own in table.items() if own.startswith(BLOCK)}
    name = _renamed(parts, key)
    return None if name is None else name.format(n=block.number, stage=block.stage, block=block.block)


def _renamed(table: Mapping[str, str], key: str) -> str | None:
    """Name by the longest own name that is the key, or what the key begins with."""
    for own in sorted(table, key=len, reverse=True):
        if key == own or key.startswith(own + "."):
            return table[own] + key[len(own) :]
    return None


def map_state(
    entry: WeightsEntry, network: Network, state: Mapping[str, Tensor], *, without: tuple[str, ...] = ()
) -> dict[str, Tensor]:
    """State dict of our network, from a published one.

    Args:
        entry: The key map.
        network: What is to be filled; its shapes must be the published ones.
        state: The published state dict.
        without: Own names, by prefix, that are left out: a classifier of other classes.

    Raises:
        TrainingError: Names or shapes differ; the first five of each side are named.
    """
    names = published_keys(entry, network)
    own = network.state_dict()
    missing = [name for key, name in names.items() if name not in state and not key.endswith(COUNTER)]
    known = {*names.values()}
    foreign = [name for name in state if name not in known and not name.startswith(entry.ignored or ("\0",))]
    if missing or foreign:
        raise TrainingError(
            f"The weights are of another network than '{entry.name}' "
            f"({entry.architecture or 'the supernet'} of {entry.space}): missing {_some(missing)}; not known here "
            f"{_some(foreign)}"
        )
    result, unequal = {}, []
    for key, name in names.items():
        if key.startswith(without or ("\0",)):
            continue
        value = state.get(name, torch.zeros_like(own[key], device="cpu"))
        if value.shape != own[key].shape and value.flatten().shape == own[key].flatten().shape:
            value = _without_ones(value, own[key])
        if value.shape != own[key].shape:
            unequal.append(f"{name} {tuple(value.shape)} for {tuple(own[key].shape)}")
        result[key] = value.to(own[key].dtype)
    if unequal:
        raise TrainingError(
            f"The weights are of another network than '{entry.name}': shapes differ in {_some(unequal)}"
        )
    return result


def _without_ones(value: Tensor, own: Tensor) -> Tensor:
    """The value without its last sides of 1: a 1x1 convolution of pooled features is a linear layer."""
    plain = value
    while plain.dim() > own.dim() and plain.shape[-1] == 1:
        plain = plain.squeeze(-1)
    return plain if plain.shape == own.shape else value


def _some(names: list[str]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
