"""Images that come as arrays: layouts, value ranges, and the contract of `evonas.data` entry points."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from evonas.data.resize import resize
from evonas.data.source import Source, as_labels, name_classes
from evonas.data.targets import as_targets, name_targets
from evonas.errors import DataError

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True, eq=False)
class ArrayImages:
    """Images in memory.

    Attributes:
        pixels: uint8, shape (n, c, h, w).
        labels: int64, shape (n,); or float32, shape (n, k).
    """

    pixels: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.pixels)

    def native(self) -> tuple[int, int]:
        """Return the number of channels and the length of the shorter side."""
        return self.pixels.shape[1], min(self.pixels.shape[2:])

    def read(self, rows: np.ndarray, channels: int, resolution: int) -> torch.Tensor:
        """Return the images of `rows`, uint8, shape (len(rows), channels, resolution, resolution).

        Raises:
            DataError: Fewer channels are asked for than the images have; one is repeated.
        """
        images = resize(torch.from_numpy(self.pixels[rows]), resolution)
        own = images.shape[1]
        if own == channels:
            return images
        if own != 1:
            raise DataError(f"Expected images of 1 or {channels} channels, got {own}")
        return images.expand(-1, channels, -1, -1).contiguous()

    def digests(self) -> np.ndarray:
        """Return one hash per image, uint8, shape (n, 16)."""
        joined = b"".join(hashlib.blake2b(image, digest_size=16).digest() for image in self.pixels)
        return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 16)

    def check(self) -> None:
        """Do nothing: arrays have nothing to decode."""

    def take(self, rows: np.ndarray) -> ArrayImages:
        """Return the images of `rows` alone."""
        return ArrayImages(self.pixels[rows], self.labels[rows])


def as_pixels(values: object, what: str) -> np.ndarray:
    """Return images as contiguous uint8, shape (n, c, h, w).

    Args:
        values: uint8 (or other integers in 0..255), or floats in [0, 1]; shape (n, h, w), (n, h, w, c) or
            (n, c, h, w). The channels are the shorter of the second and the last axis, the last in a draw.
        what: What to call them in an error.

    Raises:
        DataError: Another shape or type, values out of range, NaN or infinity.
    """
    images = np.asarray(values)
    if images.ndim not in (3, 4) or images.dtype.kind not in "iuf" or 0 in images.shape[1:]:
        raise DataError(
            f"Expected {what} to be uint8 images of shape (n, h, w), (n, h, w, c) or (n, c, h, w), "
            f"got {images.dtype} of shape {images.shape}"
        )
    if images.dtype != np.uint8 and images.size:
        images = _to_uint8(images, what)
    if images.ndim == 3:
        images = images[:, None]
    elif images.shape[3] <= images.shape[1]:
        images = images.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(images, dtype=np.uint8)


def _to_uint8(images: np.ndarray, what: str) -> np.ndarray:
    real = images.dtype.kind == "f"
    if real and not np.isfinite(images).all():
        bad = int((~np.isfinite(images)).reshape(len(images), -1).any(axis=1).sum())
        raise DataError(
            f"Expected finite values in {what}, {bad} of {len(images)} images hold NaN or infinity: mend them"
        )
    low, high, top = images.min(), images.max(), 1 if real else 255
    if low < 0 or high > top:
        raise DataError(
            f"Expected {what} as uint8, or as floats in [0, 1], got {images.dtype} from {low:g} to {high:g}: "
            f"give raw pixels, not normalized ones"
        )
    return np.rint(images * 255.0).astype(np.uint8) if real else images.astype(np.uint8)


def from_arrays(arrays: Mapping[str, np.ndarray], name: str) -> Source:
    """Make a source of raw arrays, as an `.npz` file or an entry point of the group `evonas.data` gives them.

    Args:
        arrays: `x_train`, `y_train`, `x_test`, `y_test`, and `class_names` where known. Images: uint8 or
            floats in [0, 1], shape (n, h, w), (n, h, w, c) or (n, c, h, w). Labels: integers 0..K-1, (n,); or
            continuous targets, floats, (n,) or (n, k), with `target_names` where known.
        name: Short name of the data.

    Raises:
        DataError: An array is missing or malformed, or images and labels differ in number.
    """
    missing = [key for key in ARRAYS if key not in arrays]
    if missing:
        held = ", ".join(sorted(arrays)) or "nothing"
        raise DataError(
            f"Expected the arrays {', '.join(ARRAYS)} in '{name}', missing: {', '.join(missing)} (it holds {held})"
        )
    continuous = np.asarray(arrays["y_train"]).dtype.kind == "f"
    read = as_targets if continuous else as_labels
    parts = []
    for part in ("train", "test"):
        x, y = f"x_{part}", f"y_{part}"
        pixels, labels = as_pixels(arrays[x], f"{x} of '{name}'"), read(arrays[y], f"{y} of '{name}'")
        if len(pixels) != len(labels):
            raise DataError(
                f"Expected as many labels as images in '{name}', got {len(pixels)} in {x} and {len(labels)} in {y}"
            )
        parts.append(ArrayImages(pixels, labels))
    train, test = parts
    if train.pixels.shape[1:] != test.pixels.shape[1:]:
        shapes = " and ".join("x".join(map(str, part.pixels.shape[1:])) for part in parts)
        raise DataError(f"Expected x_train and x_test of '{name}' to have one shape of image, got {shapes} (c, h, w)")
    if continuous:
        names = arrays.get("target_names")
        given = None if names is None else list(np.asarray(names).ravel())
        return Source(name, name_targets(given, train.labels, name), train, test, task="regression")
    return Source(name, _names(arrays, train.labels, name), train, test)


def _names(arrays: Mapping[str, np.ndarray], labels: np.ndarray, name: str) -> tuple[str, ...]:
    names = arrays.get("class_names")
    classes = name_classes(None if names is None else list(np.asarray(names).ravel()), labels)
    if len(set(classes)) < len(classes):
        raise DataError(f"Expected class_names of '{name}' to differ from one another, got {', '.join(classes)}")
    return classes
