"""Devices that tensors live on: from a setting to one, and what speeds training there."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from evonas.errors import SettingsError
from evonas.training.device_names import check_device


def resolve_device(name: str | torch.device = "auto") -> torch.device:
    """Return the device that a setting means.

    Args:
        name: "cpu", "cuda", one of several as "cuda:1", or "auto": CUDA where present, else the CPU.

    Raises:
        SettingsError: No such device here.
    """
    if isinstance(name, torch.device):
        return name
    present = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return torch.device("cuda" if present else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    check_device(name)
    if int(name.partition(":")[2] or 0) >= present:
        raise SettingsError(
            f"Expected a device that is here, got '{name}' where torch sees {present or 'no'} CUDA devices: "
            "use --device cpu or auto"
        )
    return torch.device(name)


def to_device(network: nn.Module, device: torch.device) -> nn.Module:
    """Move a network, its weights in the channels-last layout that convolutions are fastest in; return it.

    Its values stay. Its first layer must be given images in that layout.
    """
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # torch types leave memory_format out


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return the context of a forward pass in training: bfloat16 on CUDA where it has it, else nothing.

    Weights and their gradients stay float32; bfloat16 has float32's range, so losses need no scaling.
    """
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


def finish(device: torch.device | str) -> None:
    """Wait until a device has done all it was given, before a clock is read: CUDA computes on after calls return."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
