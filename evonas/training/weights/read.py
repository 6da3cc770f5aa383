"""Reading files of weights: safetensors, or what `torch.load` reads without running any code of theirs."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from evonas.errors import TrainingError

RECIPE = "see 'Convert a checkpoint' in docs/how-to/weights.md"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises:
        TrainingError: It cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TrainingError(f"Cannot read the weights {path}: {error.strerror or error}") from None


def check_digest(path: Path, expected: str) -> str:
    """Digest of a file, refused where it is not the one expected; an expectation of "" takes any.

    Raises:
        TrainingError: Another digest: the file is damaged, or of another version.
    """
    found = file_digest(path)
    if expected and found != expected:
        raise TrainingError(
            f"The weights {path} are damaged or of another version: expected SHA-256 {expected[:16]}…, got "
            f"{found[:16]}…; install or download them again"
        )
    return found


def read_state(path: Path, inside: str = "") -> dict[str, Tensor]:
    """State dict of a file, on the CPU.

    Args:
        path: A ``.safetensors`` file, or one that `torch.save` wrote.
        inside: Key under which the file holds the state dict.

    Raises:
        TrainingError: It cannot be read, is cut short, needs pickled objects, or holds no state dict.
    """
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (OSError, SafetensorError) as error:
            raise TrainingError(f"The weights {path} cannot be read, perhaps cut short: {error}") from None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError) as error:
        cause = (str(error).splitlines() or [type(error).__name__])[0][:160]
        raise TrainingError(f"The weights {path} cannot be read, perhaps cut short: {cause}") from None
    except Exception:  # bytes that are no checkpoint of plain tensors raise errors of any kind in the unpickler
        raise TrainingError(_unreadable(path)) from None
    if inside and isinstance(content, Mapping) and inside in content:
        content = content[inside]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        under = f" under '{inside}'" if inside else ""
        raise TrainingError(f"Expected a state dict{under} in {path}, names to tensors alone; {RECIPE}")
    return {str(name): value for name, value in content.items()}


def _unreadable(path: Path) -> str:
    """Cause in words: a file that is neither a zip archive nor a pickle is no checkpoint, or is cut short."""
    whole = zipfile.is_zipfile(path)
    with open(path, "rb") as file:
        begins = file.read(2)
    if not whole and begins == b"PK":
        return f"The weights {path} cannot be read, perhaps cut short: expected a whole zip archive"
    if not whole and begins != b"\x80\x02":
        return f"The weights {path} are no checkpoint: expected a .safetensors file, or one of torch.save"
    return (
        f"The weights {path} need pickled objects, which could run code: expected plain tensors; convert them where "
        f"you trust them, {RECIPE}"
    )
