"""Distinct kinds of corruption: at tiny sizes some change nothing, or do the same as others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from evonas.data.corruptions.corrupt import corrupt
from evonas.data.corruptions.kinds import kinds_of

__all__ = ["Distinct", "tell_apart"]

UNSEEN = 0.5 / 255
"""Mean change of values below which a kind leaves images as they are: half a step of 8 bits."""
ALIKE = 0.25
"""Distance of two kinds, as a share of what the lesser changes, below which they are one."""
IMAGES = 64


@dataclass(frozen=True)
class Distinct:
    """Effects of some kinds on images, as far as these are none or the same.

    Attributes:
        unseen: Severities at which a kind leaves the images as they are, by kind; kinds with none are left out.
        repeated: Severities at which a kind does what it does at the one before, likewise.
        alike: Pairs of kinds that do the same to the images at the highest severity.
    """

    unseen: dict[str, tuple[int, ...]]
    repeated: dict[str, tuple[int, ...]]
    alike: tuple[tuple[str, str], ...]

    def notes(self) -> list[str]:
        """Return in words, a sentence each, what a reader of figures by kind should know; nothing where all differ."""
        whole = [kind for kind, severities in self.unseen.items() if len(severities) == 5]
        found = []
        if whole:
            found.append(f"Images of this size are left as they are by {', '.join(whole)}")
        if parts := _listed({kind: some for kind, some in self.unseen.items() if kind not in whole}):
            found.append(f"Images of this size are hardly changed by {parts}")
        if self.repeated:
            found.append(f"On images of this size a severity is as the one before it: {_listed(self.repeated)}")
        found += [f"{first} and {second} do the same to images of this size" for first, second in self.alike]
        return found


def tell_apart(images: Tensor, kinds: Sequence[str] = ("all",), *, seed: int = 0) -> Distinct:
    """Return which kinds do nothing to images, or the same as others.

    Args:
        images: Floats from 0 to 1, shape (n, c, h, w); the first 64 are looked at.
        kinds: Names of kinds and groups.
        seed: Of the corruptions.
    """
    clean = images[:IMAGES].float()
    unseen: dict[str, tuple[int, ...]] = {}
    repeated: dict[str, tuple[int, ...]] = {}
    strongest: dict[str, Tensor] = {}
    for kind in kinds_of(kinds):
        changed = {severity: corrupt(clean, kind, severity, seed=seed) - clean for severity in range(1, 6)}
        quiet = tuple(s for s, change in changed.items() if float(change.abs().mean()) < UNSEEN)
        same = tuple(s for s in range(2, 6) if s not in quiet and torch.equal(changed[s], changed[s - 1]))
        if quiet:
            unseen[kind] = quiet
        if same:
            repeated[kind] = same
        if 5 not in quiet:
            strongest[kind] = changed[5]
    names = list(strongest)
    pairs = [(first, second) for i, first in enumerate(names) for second in names[i + 1 :]]
    return Distinct(unseen, repeated, tuple(pair for pair in pairs if _alike(*(strongest[name] for name in pair))))


def _listed(severities: Mapping[str, Sequence[int]]) -> str:
    return "; ".join(f"{kind} at severity {', '.join(map(str, some))}" for kind, some in severities.items())


def _alike(first: Tensor, second: Tensor) -> bool:
    least = torch.minimum(first.abs().mean(), second.abs().mean())
    return bool((first - second).abs().mean() < ALIKE * least)
