"""A supernet's checkpoint: the file of any training, of a kind of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from evonas.errors import TrainingError
from evonas.training.checkpoint import read_checkpoint, write_checkpoint

KIND = "supernet"
WEIGHTS = "weights/"


def write_supernet(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write a supernet's checkpoint; see `evonas.training.checkpoint.write_checkpoint`."""
    write_checkpoint(path, tensors, header, kind=KIND)


def read_supernet(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return its tensors, on the CPU, and its header; see `evonas.training.checkpoint.read_checkpoint`."""
    return read_checkpoint(path, kind=KIND)


def load_weights(network: nn.Module, path: Path) -> dict[str, Any]:
    """Give a network the weights of a checkpoint and return its header.

    Raises:
        TrainingError: The checkpoint cannot be read or is of another network; the network is untouched.
    """
    tensors, header = read_supernet(path)
    set_weights(network, tensors, path)
    return header


def weights_fingerprint(network: nn.Module) -> str:
    """Return 16 hexadecimal digits that stand for a network's weights."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def set_weights(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Give a network the weights among a checkpoint's tensors.

    Raises:
        TrainingError: A name, shape or type differs; the network is untouched.
    """
    weights = {name.removeprefix(WEIGHTS): t for name, t in tensors.items() if name.startswith(WEIGHTS)}
    own = network.state_dict()
    differing = [name for name in own if _kind(own[name]) != _kind(weights.get(name))]
    differing += [name for name in weights if name not in own]
    if differing:
        name = differing[0]
        raise TrainingError(
            f"The checkpoint {path} is of another network: '{name}' is {_kind(own.get(name))} here and "
            f"{_kind(weights.get(name))} there, as are {len(differing) - 1} others; "
            "use the space, skeleton and data it was made with, or remove it"
        )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(weights[name])


def _kind(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
