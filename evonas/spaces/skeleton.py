"""Skeleton: what a space leaves open and the data or the user fixes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from evonas.errors import SettingsError, suggest
from evonas.files.size import Size, height_width, make_size, size_text


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Frame of a network: what an architecture leaves open.

    Cell spaces read `channels`, `cells`, `stem` and `apart`; stage spaces read `width`, `strides`, `features`,
    `blocks` and `norm_eps`.
    """

    resolution: Size
    """Size of the input image in pixels: the side of a square, or height and width."""
    in_channels: int
    classes: int
    channels: int = 16
    """Channels of the first cell, before any reduction."""
    cells: int = 8
    """Cells in the stack; for spaces with stages of cells, cells per stage."""
    stem: str = "conv"
    """``conv`` (one 3x3, stride 1), ``imagenet`` (two stems, stride 8) or ``none`` (cells read the image)."""
    head: bool = True
    """Whether a classifier ends the network; without it the pooled features are returned."""
    apart: tuple[int, ...] = ()
    """Channels of networks of one cell, one of each kind, that read the image side by side; empty: a stack of cells."""
    width: float = 1.0
    """Multiplier of every stage's width, rounded to multiples of 8."""
    strides: tuple[int, ...] = ()
    """Stride of the stem and of each stage; empty: the space's own."""
    features: int = 0
    """Channels of the last convolution, before `width` multiplies them; 0: the space's own."""
    blocks: tuple[int, ...] = ()
    """Most blocks of each stage; empty: the space's own. Deeper architectures run without their last blocks."""
    norm_eps: float | None = None
    """Epsilon of the norms; None: the space's own."""

    def __post_init__(self) -> None:
        if not isinstance(self.resolution, int):  # a square has one form, and JSON holds a list
            object.__setattr__(self, "resolution", make_size(*self.resolution))
        if not min(self.sides) > 0:
            raise SettingsError(f"A skeleton's resolution is above 0, got {size_text(self.resolution)}")
        for name in ("in_channels", "classes", "channels", "cells", "width"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"A skeleton's {name} is above 0, got {getattr(self, name)}")
        if any(channels < 1 for channels in self.apart):
            raise SettingsError(f"A skeleton's channels in 'apart' are above 0, got {list(self.apart)}")
        if self.features < 0:
            raise SettingsError(f"A skeleton's features are 0 (the space's own) or more, got {self.features}")

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width of the input image in pixels."""
        return height_width(self.resolution)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the input image."""
        return self.in_channels, *self.sides

    def replace(self, **changes: Any) -> Skeleton:
        """Return a copy with some fields changed.

        Raises:
            SettingsError: A name that is no field, or a value out of range.
        """
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                raise SettingsError(f"A skeleton has no '{name}'; it has {', '.join(known)}.{suggest(name, known)}")
        return replace(self, **changes)
