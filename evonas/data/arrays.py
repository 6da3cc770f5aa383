"""Images that come as arrays: layouts, value ranges, and the contract of `evonas.data` entry points."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from evonas.data.array_names import NAMES, part_arrays
from evonas.data.groups import group_column
from evonas.data.labels import number_labels, read_labels, read_one_hot
from evonas.data.part_names import part_of_name
from evonas.data.photo import to_bytes
from evonas.data.ranges import white_of
from evonas.data.resize import resize
from evonas.data.source import Source
from evonas.data.targets import as_targets, name_targets
from evonas.errors import DataError
from evonas.files.size import Size

GRAY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in gray, as Pillow has them (ITU-R BT.601)."""
CHANNELS = (1, 3, 4)
"""Channels that images of people's making have; where other axes could be meant, an axis of so many is theirs."""


@dataclass(frozen=True, eq=False)
class ArrayImages:
    """Images in memory.

    Attributes:
        pixels: uint8, shape (n, c, h, w).
        labels: int64, shape (n,); or float32, shape (n, k).
        white: Value of more than 8 bits that meant white before they were bytes; None: another.
        groups: Name of the group of each, shape (n,); None: not asked for.
        fit: How images that are no squares become such: ``crop``, ``pad`` or ``stretch``.
    """

    pixels: np.ndarray
    labels: np.ndarray
    white: float | None = None
    groups: np.ndarray | None = None
    fit: str = "crop"

    def __len__(self) -> int:
        return len(self.pixels)

    def native(self) -> tuple[int, int]:
        """Return the number of channels and the length of the shorter side, or of the longer where all is shown."""
        return self.pixels.shape[1], (min if self.fit == "crop" else max)(self.pixels.shape[2:])

    def shape(self) -> tuple[int, int, int]:
        """Return channels, height and width of the images."""
        channels, height, width = self.pixels.shape[1:]
        return channels, height, width

    def read(self, rows: np.ndarray, channels: int, resolution: Size) -> torch.Tensor:
        """Return the images of `rows`, uint8, shape (len(rows), channels, height, width).

        Raises:
            DataError: Other channels are asked for than the images have; one is repeated, and three are turned to gray.
        """
        images = resize(torch.from_numpy(self.pixels[rows]), resolution, self.fit)
        own = images.shape[1]
        if own == channels:
            return images
        if (own, channels) == (3, 1):
            return torch.einsum("nchw,c->nhw", images.float(), torch.tensor(GRAY)).round().to(images.dtype)[:, None]
        if own != 1:
            raise DataError(f"Expected images of 1 or {channels} channels, got {own}")
        return images.expand(-1, channels, -1, -1).contiguous()

    def digests(self) -> np.ndarray:
        """Return one hash per image, uint8, shape (n, 16)."""
        joined = b"".join(hashlib.blake2b(image, digest_size=16).digest() for image in self.pixels)
        return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 16)

    def unreadable(self) -> dict[int, str]:
        """Return nothing: arrays are read."""
        return {}

    def take(self, rows: np.ndarray) -> ArrayImages:
        """Return the images of `rows` alone."""
        groups = None if self.groups is None else self.groups[rows]
        return ArrayImages(self.pixels[rows], self.labels[rows], self.white, groups, self.fit)


def as_pixels(values: object, what: str, layout: str | None = None) -> np.ndarray:
    """Return images as an array of shape (n, c, h, w), values as they are.

    Args:
        values: Booleans, integers or floats, shape (n, h, w), (n, h, w, c) or (n, c, h, w). Of three axes two that
            are equal are height and width; where none are, the only one of 1, 3 or 4 is that of the channels; where
            all are, the last.
        what: What to call them in an error.
        layout: ``NHWC``, ``NCHW`` or ``NHW`` where that is known.

    Raises:
        DataError: Another shape or type, an axis of channels that cannot be found, NaN or infinity.
    """
    images = np.asarray(values)
    if images.ndim not in (3, 4) or images.dtype.kind not in "biuf" or 0 in images.shape[1:]:
        raise DataError(
            f"Expected {what} to be images of shape (n, h, w), (n, h, w, c) or (n, c, h, w), "
            f"got {images.dtype} of shape {images.shape}"
        )
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        bad = int((~np.isfinite(images)).reshape(len(images), -1).any(axis=1).sum())
        raise DataError(
            f"Expected finite values in {what}, {bad} of {len(images)} images hold NaN or infinity: mend them"
        )
    layout = layout or _layout(images.shape, what)
    if len(layout) != images.ndim:
        raise DataError(f"Expected {what} in the layout {layout}, got shape {images.shape}")
    if layout == "NHW":
        return images[:, None]
    return images.transpose(0, 3, 1, 2) if layout == "NHWC" else images


def _layout(shape: tuple[int, ...], what: str) -> str:
    """Return the layout of images by their shape."""
    if len(shape) == 3:
        return "NHW"
    _, first, second, third = shape
    if first == second:
        return "NHWC"
    if second == third:
        return "NCHW"
    likely = [layout for size, layout in ((first, "NCHW"), (third, "NHWC")) if size in CHANNELS]
    if len(likely) != 1:
        raise DataError(
            f"Expected {what} with an axis of channels that can be found, got shape {shape}: "
            "say which it is by --layout NHWC or --layout NCHW"
        )
    return likely[0]


def from_arrays(
    arrays: Mapping[str, np.ndarray], name: str, layout: str | None = None, group: str | None = None
) -> Source:
    """Make a source of raw arrays, as an `.npz` file or an entry point of the group `evonas.data` gives them.

    Args:
        arrays: Images and labels of each part, such as `x_train` and `y_train` or `train_images` and `train_labels`,
            or `images` and `labels` alone; `class_names` where known. Images: see `as_pixels`; values see
            `evonas.data.ranges`. Labels: see `evonas.data.labels`; or continuous targets, floats, (n,) or (n, k),
            with `target_names` where known.
        name: Short name of the data.
        layout: See `as_pixels`.
        group: Name of the array of groups, or of one of each part, such as ``patient_train``; None: there is none.

    Raises:
        DataError: An array is missing or malformed, or images and labels differ in number.
    """
    beside = {key: arrays[key] for key in arrays if group is not None and group.lower() in key.lower()}
    arrays = {key: arrays[key] for key in arrays if key not in beside}
    parts = part_arrays(arrays, name)
    pixels, white = _pixels(arrays, parts, name, layout)
    labels = parts["train"][1]
    if np.asarray(arrays[labels]).dtype.kind == "f" and not _classes_as_columns(arrays[labels], labels, name):
        targets = {part: as_targets(arrays[y], f"{y} of '{name}'") for part, (_, y) in parts.items()}
        given = _names(arrays, ("target_names",))
        names, task = name_targets(given, targets["train"], name), "regression"
    else:
        read = {part: read_labels(arrays[y], f"{y} of '{name}'") for part, (_, y) in parts.items()}
        targets, names = number_labels(read, _names(arrays, NAMES), name)
        task = "classification"
        if len(set(names)) < len(names):
            raise DataError(f"Expected class_names of '{name}' to differ from one another, got {', '.join(names)}")
    groups = {part: _groups(beside, part, len(pixels[part]), group, name) for part in parts}
    made = {
        part: ArrayImages(pixels[part], targets[part], white if white > 255 else None, groups[part]) for part in parts
    }
    return Source(name, names, made["train"], made.get("test"), task=task, validation=made.get("validation"))


def _groups(beside: Mapping[str, np.ndarray], part: str, count: int, group: str | None, name: str) -> np.ndarray | None:
    """Return the groups of a part's images; None where groups are not asked for, or a part beside training has none."""
    if group is None:
        return None
    found = [key for key in beside if (part_of_name(key) or "train") == part]
    if len(found) > 1:
        found = [key for key in found if key == group] or found
    if not found and part != "train":
        return None
    if len(found) != 1 or len(beside[found[0]]) != count:
        held = ", ".join(f"{key} of {len(beside[key])}" for key in beside) or "none"
        raise DataError(
            f"Expected an array {group} of the {count} groups of the {part} images of '{name}', got {held}: name it by "
            "--group"
        )
    return group_column(np.asarray(beside[found[0]]).ravel(), found[0], f"'{name}'")


def _pixels(
    arrays: Mapping[str, np.ndarray], parts: Mapping[str, tuple[str, str]], name: str, layout: str | None
) -> tuple[dict[str, np.ndarray], float]:
    """Return the images of each part as contiguous bytes (n, c, h, w), and the value that meant white in all."""
    images = {part: as_pixels(arrays[x], f"{x} of '{name}'", layout) for part, (x, _) in parts.items()}
    shape = images["train"].shape[1:]
    for part, (x, y) in parts.items():
        if len(images[part]) != len(arrays[y]):
            raise DataError(
                f"Expected as many labels as images in '{name}', got {len(images[part])} in {x} and "
                f"{len(arrays[y])} in {y}"
            )
        if images[part].shape[1:] != shape:
            shapes = " and ".join("x".join(map(str, one)) for one in (shape, images[part].shape[1:]))
            raise DataError(
                f"Expected {parts['train'][0]} and {x} of '{name}' to have one shape of image, got {shapes} (c, h, w)"
            )
    kinds = {part: "i" if one.dtype.kind == "u" else one.dtype.kind for part, one in images.items()}
    if len(set(kinds.values())) > 1:
        types = ", ".join(f"{parts[part][0]}: {one.dtype}" for part, one in images.items())
        raise DataError(f"Expected one kind of values in all parts of '{name}', got {types}: write them alike")
    held, white = [one for one in images.values() if one.size], 255.0
    if held:
        low, high = min(float(one.min()) for one in held), max(float(one.max()) for one in held)
        white = white_of(images["train"].dtype, low, high, f"the images of '{name}'")
    return {part: np.ascontiguousarray(to_bytes(one, white)) for part, one in images.items()}, white


def _names(arrays: Mapping[str, np.ndarray], keys: Sequence[str]) -> list[str | bytes] | None:
    """Return the names that the first array of one of these keys holds; None: there is none."""
    found = next((arrays[key] for key in keys if key in arrays), None)
    return None if found is None else list(np.asarray(found).ravel())


def _classes_as_columns(values: object, what: str, name: str) -> bool:
    """Return whether floats are one column for each class; refuse shares of classes."""
    labels = np.asarray(values)
    return labels.ndim == 2 and labels.shape[1] > 1 and read_one_hot(labels, f"{what} of '{name}'")
