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
from evonas.files.whole import usual_mode

FORMAT = 1


def write_checkpoint(
    path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any], *, kind: str = "training"
) -> None:
    """Write a checkpoint, so that at any moment `path` is the old one or the new one, whole.

    Args:
        path: The file; its folder is made where it is missing.
        tensors: Name to tensor, on any device.
        header: What JSON can hold.
        kind: What it is a checkpoint of.

    Raises:
        TrainingError: It cannot be written; what was there stays.
    """
    path = Path(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    own = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {f"evonas.{kind}": json.dumps({"format": FORMAT, **header})}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(own, draft, metadata)
        draft.chmod(usual_mode())  # safetensors' files are private, those of a run are not
        with open(draft, "rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    except (OSError, SafetensorError) as error:
        draft.unlink(missing_ok=True)
        raise TrainingError(
            f"The checkpoint {path} could not be written ({error}): free some space and run again; "
            "the one before is untouched"
        ) from error
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def read_checkpoint(path: Path, *, kind: str = "training") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return a checkpoint's tensors, on the CPU, and its header.

    Raises:
        TrainingError: It is missing, damaged, of another kind or of another version.
    """
    path = Path(path)
    if not path.is_file():
        raise TrainingError(f"Expected a checkpoint at {path}, found no such file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        header = json.loads(metadata.get(f"evonas.{kind}", "null"))
    except (OSError, SafetensorError, ValueError) as error:
        raise TrainingError(f"The checkpoint {path} is damaged ({error}): remove it and train again") from error
    if not isinstance(header, dict):
        raise TrainingError(f"Expected a checkpoint of a {kind} at {path}, found another safetensors file")
    if header.get("format") != FORMAT:
        raise TrainingError(
            f"Expected a checkpoint of format {FORMAT}, got {header.get('format')} in {path}: "
            "it is of another version; remove it and train again"
        )
    return tensors, header


def digest(network: nn.Module) -> str:
    """Return a hash of a network's weights and norm statistics, hexadecimal."""
    made = hashlib.blake2b(digest_size=16)
    for name, value in network.state_dict().items():
        flat = value.detach().cpu().contiguous().flatten()
        made.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        made.update(flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b"")
    return made.hexdigest()
