"""Source of data as its reader hands it over: named classes and labeled images, not yet split or resized."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import torch

from evonas.data.targets import check_targets
from evonas.errors import DataError
from evonas.files.size import Size


class Images(Protocol):
    """Labeled images in file order, raw or encoded; nothing is decoded before `read`."""

    @property
    def labels(self) -> np.ndarray:
        """Class of each image, int64, shape (n,); or its k continuous targets, float32, shape (n, k)."""

    @property
    def groups(self) -> np.ndarray | None:
        """Name of the group that each image belongs to, shape (n,); None: not asked for."""

    def __len__(self) -> int: ...

    def native(self) -> tuple[int, int]:
        """Return the channels and the resolution in pixels that the images have by themselves."""

    def shape(self) -> tuple[int, int, int]:
        """Return channels, height and width of images; of several sizes, those that suit them."""

    def read(self, rows: np.ndarray, channels: int, resolution: Size) -> torch.Tensor:
        """Return the images of `rows` as uint8, shape (len(rows), channels, height, width).

        Raises:
            DataError: Some of them cannot be decoded; they are named.
        """

    def digests(self) -> np.ndarray:
        """Return one hash per image, uint8, shape (n, 16): BLAKE2b of its content."""

    def unreadable(self) -> dict[int, str]:
        """Return the rows of images that cannot be read, as far as that is cheap to find, and why."""

    def take(self, rows: np.ndarray) -> Self:
        """Return the images of `rows` alone."""


@dataclass(frozen=True)
class Source:
    """A data set as its reader found it.

    Attributes:
        name: Short name, for people.
        classes: Names of the K classes; label k means ``classes[k]``. Of continuous targets their names.
        train: Training images.
        test: Test images; None where there are none, then a fixed fifth of `train` becomes the test part.
        validation: Validation images; None where there are none, then a share of `train` becomes these.
        notes: What people should know of how the data were read, a sentence each.
        left_out: Files that are not read: reasons, such as an ending, with their numbers.
        scale: The uint8 value that means 1.0.
        mirror: Whether a mirrored image still belongs to its class (photos: yes; characters: no).
        task: Name of the task that the labels are targets of, in `evonas.tasks`: as read, ``classification`` or
            ``regression``.
    """

    name: str
    classes: tuple[str, ...]
    train: Images
    test: Images | None = None
    scale: float = 255.0
    mirror: bool = True
    task: str = "classification"
    validation: Images | None = None
    notes: tuple[str, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()

    @property
    def labeled(self) -> bool:
        """Whether each image has one label, the number of its class; else continuous targets."""
        return self.train.labels.ndim == 1


def check_source(source: Source) -> None:
    """Check that there are images, that labels are 0..K-1 and that every class has training images; of continuous
    targets that they vary.

    Raises:
        DataError: One of these does not hold.
    """
    if not source.labeled:
        for held in (source.validation, source.test):
            check_targets(source.train.labels, None if held is None else held.labels, source.classes, source.name)
        return
    count = len(source.classes)
    for part, images in (("training", source.train), ("validation", source.validation), ("test", source.test)):
        if images is None:
            continue
        if len(images) == 0:
            raise DataError(f"Data '{source.name}' has no {part} images: at least one of each class is needed")
        found = np.unique(images.labels)
        if found[0] < 0 or found[-1] >= count:
            raise DataError(
                f"Expected labels 0..{count - 1} for the {count} classes of '{source.name}', "
                f"its {part} labels are {_listed(found)}: renumber them from 0"
            )
    present = np.unique(source.train.labels)
    if len(present) == 1:
        raise DataError(
            f"Data '{source.name}' has one class only ('{source.classes[present[0]]}'): a classifier needs at least two"
        )
    if len(present) < count:
        absent = sorted(set(range(count)) - set(present.tolist()))
        raise DataError(
            f"Expected labels 0..K-1 without gaps, but '{source.name}' has no training image of label "
            f"{_listed(absent)}: renumber the labels or add images"
        )


def _listed(labels: Sequence[int] | np.ndarray) -> str:
    shown = ", ".join(str(label) for label in labels[:10])
    return shown if len(labels) <= 10 else f"{shown}, … ({len(labels)} in all)"
