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
) -> np.ndarray:
    """Decode a photo, turn it upright, and bring its shorter side to a size, cropped to the center.

    Args:
        item: Bytes of an image file, or a path to it; the first frame of an animation is used.
        mode: ``L`` (gray), ``RGB`` or ``RGBA``. What is transparent is shown on white but in the last.
        size: Side in pixels; None: keep the photo's own size and shape.
        white: Value that means white in an image of more than 8 bits; None: 65535 of integers, 1 of floats.
        resize: ``pillow``, its bilinear resampling, as image files are read; ``arrays``, as arrays are resized.
        draft: Decode a JPEG file at a fraction of its size whose sides are at least that long, which is quicker; None:
            decode it whole.

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
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        image = image.resize((size, size), Image.Resampling.BILINEAR, box=box)
    pixels: np.ndarray = np.array(image, dtype=np.uint8)
    pixels = pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
    return pixels if size is None or resize == "pillow" else resized_array(pixels, size)


def resized_array(pixels: np.ndarray, size: int) -> np.ndarray:
    """Resize the square at the center of an image in floats, as torch's antialiased bilinear interpolation does.

    Weights and sums are single precision, each product exact, in torch's order: what is rounded to whole numbers
    differs from torch's at ties alone.

    Args:
        pixels: uint8, shape (channels, height, width).
        size: Side of the result in pixels.
    """
    side = min(pixels.shape[1:])
    top, left = (pixels.shape[1] - side) // 2, (pixels.shape[2] - side) // 2
    square = pixels[:, top : top + side, left : left + side]
    if side == size:
        return np.ascontiguousarray(square)
    rows = _resampled(square.astype(np.float32), size)
    both = _resampled(np.swapaxes(rows, 1, 2), size)
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
