"""Corruption of images: one kind at one severity, the same for the same seed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from evonas.data.corruptions import blur, digital, noise, weather
from evonas.data.corruptions.kinds import KINDS, kinds_of, strength

__all__ = ["corrupt"]

CHUNK = 256
"""Images corrupted at once, whatever is asked for, so that memory stays small."""
Corruption = Callable[[Tensor, tuple[float, ...], float, torch.Generator], Tensor]
OPERATIONS: Mapping[str, Corruption] = MappingProxyType(
    {
        kind: getattr(room, kind)
        for kind, one in KINDS.items()
        for room in ({"noise": noise, "blur": blur, "weather": weather, "digital": digital}[one.group],)
    }
)


def corrupt(images: Tensor, kind: str, severity: int, *, seed: int = 0) -> Tensor:
    """Return corrupted copies of images.

    Args:
        images: Floats from 0 to 1, shape (n, c, h, w), any size, number of channels and device.
        kind: One of `evonas.data.corruptions.kinds.KINDS`.
        severity: 1 to 5.
        seed: Of everything random. What an image becomes depends on its place among the images too.

    Returns:
        Floats from 0 to 1 in steps of 1/255, as a camera or a file would hold them.

    Raises:
        SettingsError: Unknown kind or severity.
    """
    (kind,) = kinds_of([kind])
    values, unit = strength(kind, severity, min(images.shape[2:]))
    found = []
    for start in range(0, len(images), CHUNK):
        own = zlib.crc32(f"{seed} {kind} {severity} {start}".encode())
        generator = torch.Generator().manual_seed(own)
        some = OPERATIONS[kind](images[start : start + CHUNK].float(), values, unit, generator)
        found.append((some.clamp(0, 1) * 255).round() / 255)
    return torch.cat(found) if found else images.float()
