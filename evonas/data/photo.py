"""A photo as pixels, as data sets are read; needs numpy and Pillow alone, so that its text can travel with a model."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

MOST_PIXELS = 2**30
"""Pixels of an image beyond which it is not decoded: 3 GB in color."""
_LOCK = Lock()
DEEP = ("I", "F")
"""Beginnings of Pillow's modes of more than 8 bits."""


def read_photo(
    item: bytes | str | Path,
    mode: str,
    size: int | None,
    white: float | None = None,
    resize: str = "pillow",
    draft: int | None = None,
    fit: str = "crop",
) -> np.ndarray:
    """Decode a photo, turn it upright, and bring it to a square: cropped to the center, between bars, or stretched.

    Args:
        item: Bytes of an image file, or a path to it; the first frame of an animation is used.
        mode: ``L`` (gray), ``RGB`` or ``RGBA``. What is transparent is shown on white but in the last.
        size: Side in pixels; None: keep the photo's own size and shape.
        white: Value that means white in an image of more than 8 bits; None: 65535 of integers, 1 of floats.
        resize: ``pillow``, its bilinear resampling, as image files are read; ``arrays``, as arrays are resized.
        draft: Decode a JPEG file at a fraction of its size whose sides are at least that long, which is quicker; None:
            decode it whole.
        fit: ``crop``, the square at the center; ``pad``, all of the photo between black bars; ``stretch``, all of it,
            its sides drawn to one length.

    Returns:
        uint8, shape (channels, height, width).
    """
    from PIL import Image, ImageOps

    with opened(item) as file:
        if draft is not None:
            file.draft(None, (draft, draft))
        image = flattened(ImageOps.exif_transpose(file), mode, white)
    if size is not None and resize == "pillow" and image.size != (size, size):
        width, height = image.size
        if fit == "crop":
            side = min(width, height)
            left, top = (width - side) / 2, (height - side) / 2
            box = (left, top, left + side, top + side)
            image = image.resize((size, size), Image.Resampling.BILINEAR, box=box)
        else:
            rows, columns = fitted_size((height, width), size, fit)
            image = image.resize((columns, rows), Image.Resampling.BILINEAR)
    pixels: np.ndarray = np.array(image, dtype=np.uint8)
    pixels = pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
    if size is None:
        return pixels
    return barred(pixels, size) if resize == "pillow" else resized_array(pixels, size, fit)


def fitted_size(size: tuple[int, int], side: int, fit: str) -> tuple[int, int]:
    """Return height and width that an image of a height and width has in a square of a side, all of it being shown.

    Args:
        size: Height and width of the image.
        side: That of the square.
        fit: ``pad``, its longer side is as long; ``stretch``, both are.
    """
    if fit == "stretch":
        return side, side
    longer = max(size)
    height, width = (max(1, (2 * length * side + longer) // (2 * longer)) for length in size)
    return height, width


def barred(pixels: np.ndarray, side: int) -> np.ndarray:
    """Return an image, no side of which is longer, at the center of a black square."""
    if pixels.shape[1:] == (side, side):
        return pixels
    square = np.zeros((len(pixels), side, side), dtype=pixels.dtype)
    top, left = (side - pixels.shape[1]) // 2, (side - pixels.shape[2]) // 2
    square[:, top : top + pixels.shape[1], left : left + pixels.shape[2]] = pixels
    return square


def resized_array(pixels: np.ndarray, size: int, fit: str = "crop") -> np.ndarray:
    """Resize an image to a square in floats, as torch's antialiased bilinear interpolation does.

    Weights and sums are single precision, each product exact, in torch's order: what is rounded to whole numbers
    differs from torch's at ties alone.

    Args:
        pixels: uint8, shape (channels, height, width).
        size: Side of the result in pixels.
        fit: See `read_photo`.
    """
    if fit != "crop":
        return barred(_brought(pixels, *fitted_size(pixels.shape[1:], size, fit)), size)
    side = min(pixels.shape[1:])
    top, left = (pixels.shape[1] - side) // 2, (pixels.shape[2] - side) // 2
    return _brought(pixels[:, top : top + side, left : left + side], size, size)


def _brought(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return an image at a height and width."""
    if pixels.shape[1:] == (height, width):
        return np.ascontiguousarray(pixels)
    rows = _resampled(pixels.astype(np.float32), width)
    both = _resampled(np.swapaxes(rows, 1, 2), height)
    rounded: np.ndarray = np.clip(np.rint(np.swapaxes(both, 1, 2)), 0, 255).astype(np.uint8)
    return rounded


def _resampled(values: np.ndarray, size: int) -> np.ndarray:
    """Resample the last axis of float32 values."""
    one, half, before = np.float32(1), np.float32(0.5), values.shape[-1]
    scale = np.float32(before) / np.float32(size)
    support = max(scale, one)
    inverse = one / support
    columns = []
    for i in range(size):
        center = scale * np.float32(i + 0.5)
        first = max(int(center - support + half), 0)
        last = min(int(center + support + half), before)
        away = np.abs((np.arange(first, last, dtype=np.float32) - center + half) * inverse)
        weights = np.maximum(one - away, 0)
        total = np.float32(0)
        for weight in weights:
            total += weight
        weights = weights / total
        taken = np.zeros(values.shape[:-1], dtype=np.float32)
        for j, weight in enumerate(weights):
            product = values[..., first + j].astype(np.float64) * float(weight)
            taken = (product + taken).astype(np.float32)
        columns.append(taken)
    return np.stack(columns, axis=-1)


def flattened(image: Any, mode: str, white: float | None) -> Any:
    """Return an image of Pillow's in a mode of 8 bits; what is transparent is shown on white unless the mode keeps it.

    Args:
        image: An image of Pillow's.
        mode: ``L``, ``RGB`` or ``RGBA``.
        white: See `read_photo`.
    """
    from PIL import Image

    if image.mode == mode and (mode == "RGBA" or "transparency" not in image.info):
        return image
    if image.mode.startswith(DEEP):  # Pillow would clip to 8 bits, not scale
        values = np.asarray(image)
        image = Image.fromarray(to_bytes(values, white or (65535.0 if image.mode.startswith("I") else 1.0)))
    elif mode != "RGBA" and ("A" in image.getbands() or "transparency" in image.info):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)


def to_bytes(values: np.ndarray, white: float) -> np.ndarray:
    """Return values as uint8, white as 255."""
    if values.dtype == np.uint8 and white == 255:
        return values
    return np.clip(np.rint(values * (255.0 / white)), 0, 255).astype(np.uint8)


@contextmanager
def opened(item: bytes | str | Path) -> Iterator[Any]:
    """Open an image under a limit of our own, for Pillow's refuses scans and slides that memory easily holds.

    Raises:
        ValueError: It has more pixels than `MOST_PIXELS`.
    """
    from PIL import Image

    with _LOCK:  # Pillow's limit is one for the whole process
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            file = Image.open(io.BytesIO(item) if isinstance(item, bytes) else item)
        finally:
            Image.MAX_IMAGE_PIXELS = before
    with file:
        width, height = file.size
        if width * height > MOST_PIXELS:
            raise ValueError(f"{width} x {height} pixels are more than {MOST_PIXELS:,}: make the image smaller")
        yield file
