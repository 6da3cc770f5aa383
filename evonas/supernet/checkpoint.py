"""A checkpoint: tensors and a JSON header in one safetensors file, written whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from evonas.errors import TrainingError

KEY = "evonas.supernet"
FORMAT = 1
WEIGHTS = "weights/"


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Write a checkpoint, so that at any moment `path` is the old one or the new one, whole.

    Args:
        path: The file; its folder is made where it is missing.
        tensors: Name -> tensor, on any device.
        header: What JSON can hold.

    Raises:
        TrainingError: It cannot be written; what was there stays.
    """
    path = Path(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    own = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {KEY: json.dumps({"format": FORMAT, **header})}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(own, draft, metadata)
        with open(draft, "rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    except (OSError, SafetensorError) as error:
        draft.unlink(missing_ok=True)
        raise TrainingError(
            f"The checkpoint {path} could not be written ({error}): free some space and run again; "
            "the one before is untouched"
        ) from error


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return a checkpoint's tensors, on the CPU, and its header.

    Raises:
        TrainingError: It is missing, damaged, or no checkpoint of a supernet.
    """
    path = Path(path)
    if not path.is_file():
        raise TrainingError(f"Expected a supernet's checkpoint at {path}, found no such file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        header = json.loads(metadata[KEY]) if KEY in metadata else None
    except (OSError, SafetensorError, ValueError) as error:
        raise TrainingError(
            f"The checkpoint {path} is damaged ({error}): remove it and train again"
        ) from error
    if not isinstance(header, dict):
        raise TrainingError(f"Expected a supernet's checkpoint at {path}, found another safetensors file")
    if header.get("format") != FORMAT:
        raise TrainingError(
            f"Expected a checkpoint of format {FORMAT}, got {header.get('format')} in {path}: "
            "it is of another version; train again"
        )
    return tensors, header


def load_weights(network: nn.Module, path: Path) -> dict[str, Any]:
    """Give a network the weights of a checkpoint and return its header.

    Raises:
        TrainingError: The checkpoint cannot be read or is of another network; the network is untouched.
    """
    tensors, header = read_checkpoint(path)
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
    return (
        "missing" if tensor is None else f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
    )
