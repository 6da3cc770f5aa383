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
    size: int | tuple[int, int] | None,
    white: float | None = None,
    resize: str = "pillow",
    draft: int | None = None,
    fit: str = "crop",
) -> np.ndarray:
    """Decode a photo, turn it upright, and bring it to a size: cropped to the center, between bars, or stretched.

    Args:
        item: Bytes of an image file, or a path to it; the first frame of an animation is used.
        mode: ``L`` (gray), ``RGB`` or ``RGBA``. What is transparent is shown on white but in the last.
        size: Side of a square in pixels, or height and width; None: keep the photo's own size and shape.
        white: Value that means white in an image of more than 8 bits; None: 65535 of integers, 1 of floats.
        resize: ``pillow``, its bilinear resampling, as image files are read; ``arrays``, as arrays are resized.
        draft: Decode a JPEG file at a fraction of its size whose sides are at least that long, which is quicker; None:
            decode it whole.
        fit: ``crop``, the largest part at the center that has the size's shape; ``pad``, all of the photo between black
            bars; ``stretch``, all of it, its sides drawn to the size's.

    Returns:
        uint8, shape (channels, height, width).
    """
    from PIL import Image, ImageOps

    wanted = (size, size) if isinstance(size, int) else size
    with opened(item) as file:
        if draft is not None:
            file.draft(None, (draft, draft))
        image = flattened(ImageOps.exif_transpose(file), mode, white)
    if wanted is not None and resize == "pillow" and image.size != (wanted[1], wanted[0]):
        width, height = image.size
        if fit == "crop":
            rows, columns = cropped_size((height, width), wanted)
            left, top = (width - columns) / 2, (height - rows) / 2
            box = (left, top, left + columns, top + rows)
            image = image.resize((wanted[1], wanted[0]), Image.Resampling.BILINEAR, box=box)
        else:
            rows, columns = fitted_size((height, width), wanted, fit)
            image = image.resize((columns, rows), Image.Resampling.BILINEAR)
    pixels: np.ndarray = np.array(image, dtype=np.uint8)
    pixels = pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
    if wanted is None:
        return pixels
    return barred(pixels, wanted) if resize == "pillow" else resized_array(pixels, wanted, fit)


def cropped_size(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[int, int]:
    """Return height and width of the largest part of an image that has the shape of a size, in whole pixels.

    Args:
        size: Height and width of the image.
        wanted: Those that the part will be brought to.
    """
    (height, width), (rows, columns) = size, wanted
    if height * columns <= width * rows:  # all of its height
        return height, max(1, (2 * height * columns + rows) // (2 * rows))
    return max(1, (2 * width * rows + columns) // (2 * columns)), width


def fitted_size(size: tuple[int, int], wanted: tuple[int, int], fit: str) -> tuple[int, int]:
    """Return height and width that an image has inside a frame, all of it being shown.

    Args:
        size: Height and width of the image.
        wanted: Those of the frame.
        fit: ``pad``, the sides keep their ratio and one is as long as the frame's; ``stretch``, both are.
    """
    if fit == "stretch":
        return wanted
    (height, width), (rows, columns) = size, wanted
    if height * columns >= width * rows:  # its height fills the frame's
        return rows, max(1, (2 * width * rows + height) // (2 * height))
    return max(1, (2 * height * columns + width) // (2 * width)), columns


def barred(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return an image, no side of which is longer, at the center of a black frame of a height and width."""
    if pixels.shape[1:] == size:
        return pixels
    frame = np.zeros((len(pixels), *size), dtype=pixels.dtype)
    top, left = (size[0] - pixels.shape[1]) // 2, (size[1] - pixels.shape[2]) // 2
    frame[:, top : top + pixels.shape[1], left : left + pixels.shape[2]] = pixels
    return frame


def resized_array(pixels: np.ndarray, size: tuple[int, int], fit: str = "crop") -> np.ndarray:
    """Resize an image to a height and width in floats, as torch's antialiased bilinear interpolation does.

    Weights and sums are single precision, each product exact, in torch's order: what is rounded to whole numbers
    differs from torch's at ties alone.

    Args:
        pixels: uint8, shape (channels, height, width).
        size: Height and width of the result in pixels.
        fit: See `read_photo`.
    """
    if fit != "crop":
        return barred(_brought(pixels, *fitted_size((pixels.shape[1], pixels.shape[2]), size, fit)), size)
    rows, columns = cropped_size((pixels.shape[1], pixels.shape[2]), size)
    top, left = (pixels.shape[1] - rows) // 2, (pixels.shape[2] - columns) // 2
    return _brought(pixels[:, top : top + rows, left : left + columns], *size)


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
