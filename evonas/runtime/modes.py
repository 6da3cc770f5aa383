"""The mode of a module: evaluation for a moment, then what it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


@contextmanager
def evaluating(module: nn.Module) -> Iterator[nn.Module]:
    """Put a module into evaluation mode, and leave every submodule in the mode it was in.

    Args:
        module: Any module; a norm frozen inside a training module stays frozen afterwards.
    """
    training = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield module
    finally:
        for part, mode in training.items():
            part.training = mode


def device_of(module: nn.Module) -> torch.device:
    """Return the device of a module's first parameter or buffer, the CPU where it has none."""
    import torch

    for tensor in (*module.parameters(), *module.buffers()):
        return tensor.device
    return torch.device("cpu")
