"""The data set that the rest of the package sees: parts on a device, and what is known of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
import torch

from evonas.data.augment import Augment
from evonas.data.decode import EncodedImages, UndecodableError
from evonas.data.inventory import Inventory
from evonas.data.lazy_images import LazyImages, chunks_of, usual_cache
from evonas.data.memory import memory_in_words
from evonas.data.part import Part, PartName
from evonas.data.resize import resize
from evonas.data.skipped import Skipped, refuse_many
from evonas.data.source import Images
from evonas.files.size import Size, height_width

STD_FLOOR = 1e-3  # a channel that never changes stays finite
COUNTED = 1024  # images whose pixels are counted at once, as counting takes four times their memory


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A data set of labeled images, split, resized and on one device; `load_data` makes it.

    Attributes:
        name: Short name, for people.
        classes: Names of the K classes; label k means ``classes[k]``. Of continuous targets their names.
        in_channels: Channels c of the images.
        resolution: Size of the images.
        scale: The uint8 value that means 1.0.
        train: Part that weights are trained on.
        search: Part of the validation images that a search selects on.
        report: Part of the validation images held out for the report. Any prefix of these three parts is nearly
            stratified.
        mean: Mean of each channel of the part `train`, of values in [0, 1].
        std: Standard deviation likewise, at least 0.001.
        augment: Random changes that suit these images, for uint8 batches.
        fingerprint: SHA-256 of the content and of every setting that shapes the parts; hexadecimal, the same
            on every machine, whatever the file's name or folder.
        device: Where the parts live.
        task: Name of the task that the labels are targets of, in `evonas.tasks`.
        notes: What people should know of how the data were read and split, a sentence each.
        skipped: Images that were left out because they cannot be read; of the test part those whose header cannot.
        max_skipped: Share of all images that may be.
        inventory: What the data hold, taken before they were decoded.
        lazy: Whether images are decoded when they are read.
        balanced: Whether classes weigh in losses by the inverse of their share.
    """

    name: str
    classes: tuple[str, ...]
    in_channels: int
    resolution: Size
    scale: float
    train: Part
    search: Part
    report: Part
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augment: Augment
    fingerprint: str
    device: torch.device
    task: str = field(default="classification", kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)
    skipped: tuple[Skipped, ...] = field(default=(), kw_only=True)
    max_skipped: float = field(default=0.0, kw_only=True)
    inventory: Inventory | None = field(default=None, kw_only=True)
    balanced: bool = field(default=False, kw_only=True)
    lazy: bool = field(default=False, kw_only=True)
    _training_images: Images = field(kw_only=True)
    _test_images: Images = field(kw_only=True)

    @cached_property
    def test(self) -> Part:
        """Test part, decoded when first asked for; for training of chosen members and deployment alone.

        Raises:
            DataError: More of its images cannot be decoded than may be skipped; they are named.
        """
        with memory_in_words(self.name):
            held = self._test_images
            rows = np.arange(len(held))
            try:
                images = self._decode_test(rows)
            except UndecodableError as error:
                assert isinstance(held, EncodedImages)
                found = [Skipped("test", *one) for one in error.bad.items()]
                refuse_many(found, len(rows), self.max_skipped)
                rows = np.array([row for row, name in enumerate(held.names) if name not in error.bad], dtype=np.int64)
                images = self._decode_test(rows)
                vars(self)["test_skipped"] = tuple(found)
            return Part(images, torch.from_numpy(held.labels[rows])).to(self.device)

    @cached_property
    def test_skipped(self) -> tuple[Skipped, ...]:
        """Test images that could not be decoded and are left out, known once the test part was read."""
        return ()

    def _decode_test(self, rows: np.ndarray) -> torch.Tensor:
        """Return test images, which of lazy ones have all been decoded once."""
        if not self.lazy:
            return self._test_images.read(rows, self.in_channels, self.resolution)
        shape = (self.in_channels, *height_width(self.resolution))
        images = LazyImages(self._test_images, rows, shape, usual_cache())
        for _ in chunks_of([images]):
            pass
        return images

    def part(self, name: PartName) -> Part:
        """Return the part of that name."""
        part: Part = getattr(self, name)
        return part

    @property
    def labeled(self) -> bool:
        """Whether each image has one label, the number of its class; else continuous targets."""
        return self.train.labels.ndim == 1

    @cached_property
    def class_weights(self) -> tuple[float, ...] | None:
        """Weight of each class in losses, ``n / (K * n_k)`` of n training images, n_k its own; None: all alike."""
        if not self.balanced:
            return None
        counts = torch.bincount(self.train.labels.cpu(), minlength=len(self.classes))
        return tuple((len(self.train) / (len(self.classes) * counts.double())).tolist())

    @cached_property
    def target_mean(self) -> tuple[float, ...]:
        """Mean of each continuous target over the part `train`; none where labels are classes."""
        return () if self.labeled else tuple(self.train.labels.double().mean(0).tolist())

    @cached_property
    def target_std(self) -> tuple[float, ...]:
        """Standard deviation of each continuous target over the part `train`; 1 where it does not vary there."""
        if self.labeled:
            return ()
        found = self.train.labels.double().std(0, correction=0)
        return tuple(float(value) if value > 0 else 1.0 for value in found)

    def head(self, n: int) -> torch.Tensor:
        """Return the first `n` training images in file order, whatever the split: normalized, not augmented.

        Args:
            n: At least 1; where there are fewer images, all of them.

        Returns:
            float32, shape (n, c, h, w), on the device.
        """
        rows = np.arange(min(n, len(self._training_images)))
        return self.normalize(self._training_images.read(rows, self.in_channels, self.resolution).to(self.device))

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        """Return ``(images / scale - mean) / std``.

        Args:
            images: uint8, shape (n, c, h, w), any device and size.

        Returns:
            float32, same shape and device.
        """
        mean = torch.tensor(self.mean, dtype=torch.float32, device=images.device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, dtype=torch.float32, device=images.device).view(1, -1, 1, 1)
        return images.to(torch.float32, copy=True).div_(self.scale).sub_(mean).div_(std)

    def to(self, device: torch.device | str) -> Dataset:
        """Return the data set on another device; a test part not yet decoded stays so."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        moved = {name: value.to(device) for name, value in values.items() if isinstance(value, Part)}
        other = Dataset(**{**values, **moved, "device": torch.device(device)})
        if "test" in vars(self):
            vars(other).update(test=self.test.to(device), test_skipped=self.test_skipped)
        return other

    def at(self, resolution: Size) -> Dataset:
        """Return the data set at another size of the images, for a network that chooses its own.

        Parts are resized from these images, the test part from the images as they were read; normalization stays.

        Args:
            resolution: The size.
        """
        if resolution == self.resolution:
            return self
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        parts = {
            name: Part(
                value.images.at(resolution)
                if isinstance(value.images, LazyImages)
                else resize(value.images, resolution),
                value.labels,
            )
            for name, value in values.items()
            if isinstance(value, Part)
        }
        digest = hashlib.sha256(f"{self.fingerprint} {resolution}".encode()).hexdigest()
        return Dataset(**{**values, **parts, "resolution": resolution, "fingerprint": digest})

    def __repr__(self) -> str:
        height, width = height_width(self.resolution)
        kind = "classes" if self.labeled else "targets"
        return (
            f"Dataset({self.name}: {self.in_channels}x{height}x{width}, "
            f"{len(self.classes)} {kind}, {len(self.train)} train, {len(self.search)} search, "
            f"{len(self.report)} report, {len(self._test_images)} test)"
        )


class ChannelCounts:
    """Counts of the values of each channel, taken in chunk by chunk, so exact and equal on every machine.

    Args:
        channels: How many there are.
    """

    def __init__(self, channels: int) -> None:
        self._counts = np.zeros((channels, 256), dtype=np.int64)

    def add(self, images: torch.Tensor) -> None:
        """Take in images, uint8, shape (n, c, h, w)."""
        for counts, channel in zip(self._counts, images.unbind(1), strict=True):
            for start in range(0, len(channel), COUNTED):
                some = channel[start : start + COUNTED]
                counts += torch.bincount(some.flatten().to(torch.int32), minlength=256).cpu().numpy()

    def statistics(self, scale: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return mean and standard deviation of each channel, in which `scale` means 1.0."""
        values = np.arange(256, dtype=np.int64)
        mean, std = [], []
        for counts in self._counts:
            n, first, second = (int((counts * power).sum()) for power in (values**0, values, values**2))
            mean.append(first / n / scale)
            std.append(max(STD_FLOOR, (n * second - first * first) ** 0.5 / n / scale))
        return tuple(mean), tuple(std)


def channel_statistics(images: torch.Tensor, scale: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of each channel, counted exactly, so equal on every machine.

    Args:
        images: uint8, shape (n, c, h, w).
        scale: The uint8 value that means 1.0.
    """
    counts = ChannelCounts(images.shape[1])
    counts.add(images)
    return counts.statistics(scale)
