"""Size of an image: an integer, the side of a square, or height and width where they differ."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["MOST_SIDE", "Size", "at_most", "height_width", "make_size", "parse_size", "size_text"]

Size = int | tuple[int, int]
"""Pixels: the side of a square image; (height, width) of one that is none. A square has one form, the integer, so that
texts, files and fingerprints of squares have one, too."""
MOST_SIDE = 4096
"""Longest side that a network's input may have."""


def height_width(size: Size) -> tuple[int, int]:
    """Return the height and width of a size."""
    return (size, size) if isinstance(size, int) else size


def make_size(height: int, width: int) -> Size:
    """Return the size that has a height and a width."""
    return height if height == width else (height, width)


def size_text(size: Size) -> str:
    """Return a size as people write it: ``32``, or ``24x94`` for height and width."""
    return str(size) if isinstance(size, int) else f"{size[0]}x{size[1]}"


def at_most(size: Size, largest: Size) -> Size:
    """Return a size no side of which is longer than that of another."""
    (height, width), (most_height, most_width) = height_width(size), height_width(largest)
    return make_size(min(height, most_height), min(width, most_width))


def parse_size(value: str | int | Sequence[int]) -> Size:
    """Return the size that is meant by ``32``, ``"32"``, ``"24x94"`` or ``(24, 94)``.

    Raises:
        ValueError: None is, or one whose sides are not 1 to 4096.
    """
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d{1,6})\s*(?:[x×*]\s*(\d{1,6})\s*)?", value, re.IGNORECASE)
        sides: Sequence[object] = (int(match[1]), int(match[2] or match[1])) if match else ()
    else:
        sides = tuple(value) if isinstance(value, Sequence) else (value, value)  # files hold anything
    whole = [side for side in sides if isinstance(side, int) and not isinstance(side, bool)]
    if len(whole) != 2 or len(sides) != 2 or not all(1 <= side <= MOST_SIDE for side in whole):
        raise ValueError(
            f"expected a side of 1 to {MOST_SIDE} pixels, such as 64, or HEIGHTxWIDTH, such as 24x94, got {value!r}"
        )
    return make_size(whole[0], whole[1])
