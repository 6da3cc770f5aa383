"""From the name of a source to a data set: find, check, split, read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from evonas.data.augment import default_augment
from evonas.data.dataset import Dataset, channel_statistics
from evonas.data.digits import read_embedded
from evonas.data.folder import read_folder
from evonas.data.hub import read_hub
from evonas.data.names import unknown_data
from evonas.data.npz import read_npz
from evonas.data.parquet import read_parquet
from evonas.data.part import Part
from evonas.data.plugins import read_plugin
from evonas.data.source import Images, Source, check_source
from evonas.data.split import TEST_SEED, divide, hold_out, limit_rows, order_keys
from evonas.data.targets import strata
from evonas.data.targets_folder import read_targets_folder
from evonas.errors import SettingsError

FORMAT = 1  # part of the fingerprint; raised when the same files would give other parts
READERS: tuple[Callable[[str], Source | None], ...] = (
    read_embedded,
    read_plugin,
    read_npz,
    read_parquet,
    read_targets_folder,
    read_folder,
    read_hub,
)


def load_data(
    source: str | Path,
    *,
    resolution: int | None = None,
    limit: int | None = None,
    validation: float = 0.4,
    seed: int = 0,
    device: torch.device | str = "cpu",
    channels: int | None = None,
    statistics: tuple[Sequence[float], Sequence[float]] | None = None,
) -> Dataset:
    """Load labeled images and split them, stratified, into the parts `train`, `search`, `report` and `test`.

    Which part an image falls into depends on its content and the seed, not on the order of the file. Data
    without a test part give a fixed fifth of each class to one, whatever the seed.

    Args:
        source: "digits"; the name of an entry point of the group `evonas.data`; an `.npz` file; a folder of
            parquet files or of images, with a ``targets.csv`` where these have continuous targets; `hub:NAME` or
            `owner/name` for the Hugging Face hub.
        resolution: Side in pixels that images are brought to (shorter side, then cropped to the center); None
            keeps what the data have, and 64 at most for photos of several sizes.
        limit: Use this many training images at most, a stratified subset fixed by the seed.
        validation: Share of the training images that become the validation parts, `search` and `report`, in (0, 1).
        seed: Of the split, at least 0.
        device: Where the images live.
        channels: Channels that images are read with, 1 or 3: one channel is repeated, three are turned to gray; None:
            as many as they have.
        statistics: Mean and standard deviation of each channel that images are normalized by, of values in [0, 1];
            None: those of the train part.

    Raises:
        DataError: Unknown source, unreadable or malformed data, one class only, too few images for the split.
        MissingExtraError: The source needs a package that is not installed.
        SettingsError: A setting is out of range.
    """
    _check_settings(resolution, limit, validation, seed)
    found = find_source(str(source))
    check_source(found)
    digests = found.train.digests()
    train, test = found.train, found.test
    if test is None:
        keys = order_keys(digests, TEST_SEED)
        kept, held_out = hold_out(*_strata(found, train.labels, keys, len(train)))
        train, test, digests = train.take(kept), train.take(held_out), digests[kept]
    own_channels, native = train.native()
    channels = channels or own_channels
    side = resolution or native
    test.check()

    keys = order_keys(digests, seed)
    rows = limit_rows(*_strata(found, train.labels, keys, min(limit or len(train), len(train))), limit)
    divided = divide(*_strata(found, train.labels[rows], keys[rows], len(rows)), validation)
    parts = [rows[part] for part in divided]
    images = train.read(np.concatenate(parts), channels, side)
    labels = torch.from_numpy(train.labels[np.concatenate(parts)])
    sizes = [len(part) for part in parts]
    own, search, report = (
        Part(*pair).to(device) for pair in zip(torch.split(images, sizes), torch.split(labels, sizes), strict=True)
    )
    mean, std = channel_statistics(own.images, found.scale)
    settings = {
        "format": FORMAT,
        "classes": found.classes,
        "scale": found.scale,
        "channels": channels,
        "resolution": side,
        "limit": len(rows),
        "validation": validation,
        "seed": seed,
    }
    if statistics is not None:
        mean, std = tuple(statistics[0]), tuple(statistics[1])
        if not len(mean) == len(std) == channels:
            raise SettingsError(f"Expected a mean and a deviation of {channels} channels, got {len(mean)}, {len(std)}")
        settings["statistics"] = [mean, std]
    if found.task != "classification":
        settings["task"] = found.task
    return Dataset(
        name=found.name,
        classes=found.classes,
        in_channels=channels,
        resolution=side,
        scale=found.scale,
        train=own,
        search=search,
        report=report,
        mean=mean,
        std=std,
        augment=default_augment(side, mirror=found.mirror, fill=tuple(value * found.scale for value in mean)),
        fingerprint=_fingerprint(settings, digests, train, test),
        device=torch.device(device),
        task=found.task,
        _training_images=train,
        _test_images=test,
    )


def find_source(name: str) -> Source:
    """Return the source of that name, from the first reader that knows it.

    Raises:
        DataError: No reader does.
    """
    for read in READERS:
        if (found := read(name)) is not None:
            return found
    raise unknown_data(name)


def _fingerprint(settings: dict[str, object], digests: np.ndarray, train: Images, test: Images) -> str:
    fingerprint = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for digest, labels in ((digests, train.labels), (test.digests(), test.labels)):
        fingerprint.update(np.ascontiguousarray(digest).tobytes())
        fingerprint.update(labels.astype("<f4" if labels.dtype.kind == "f" else "<i8").tobytes())
    return fingerprint.hexdigest()


def _strata(
    source: Source, labels: np.ndarray, keys: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return what a split keeps in proportion, with keys and names: classes, or quantiles of continuous targets."""
    if source.task == "classification":
        return labels, keys, source.classes
    found, names = strata(labels, keys, n)
    return found, keys, names


def _check_settings(resolution: int | None, limit: int | None, validation: float, seed: int) -> None:
    if resolution is not None and resolution < 1:
        raise SettingsError(f"Expected a resolution of at least 1 pixel, got {resolution}")
    if limit is not None and limit < 1:
        raise SettingsError(f"Expected a limit of at least 1 training image, got {limit}")
    if not 0 < validation < 1:
        raise SettingsError(f"Expected a validation share above 0 and below 1, got {validation}")
    if seed < 0:
        raise SettingsError(f"Expected a seed of at least 0, got {seed}")
