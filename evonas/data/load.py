"""Loading of data: from the name of a source to a data set, found, checked, split and read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from evonas.data.augment import default_augment, mirrors
from evonas.data.dataset import ChannelCounts, Dataset
from evonas.data.fingerprint import data_fingerprint
from evonas.data.groups import shared_groups
from evonas.data.inventory import take_inventory
from evonas.data.lazy_images import LazyImages, chunks_of, usual_cache
from evonas.data.memory import memory_in_words, refuse_too_large
from evonas.data.names import DIGITS
from evonas.data.part import Part
from evonas.data.pixel_warnings import PixelCheck
from evonas.data.rare import treat_rare
from evonas.data.read_options import PLAIN, ReadOptions
from evonas.data.skipped import Skipped, list_parts, skipped_sentence
from evonas.data.source import Images, Source
from evonas.data.source_readers import read_readable
from evonas.data.source_split import divide_source, halve_validation, hold_out_test, list_strata
from evonas.data.split import TEST_SEED, interleave, limit_rows, order_keys, rows_by_class
from evonas.errors import SettingsError
from evonas.files.size import Size, height_width, size_text

NOT_MIRRORED = "The images are gray and are not mirrored in training; --flip mirrors them"
AS_NEEDED = "decoded as they are read"
"""What lazy images take of memory, in words."""


def load_data(
    source: str | Path,
    *,
    resolution: Size | None = None,
    limit: int | None = None,
    validation: float = 0.4,
    seed: int = 0,
    device: torch.device | str = "cpu",
    channels: int | None = None,
    statistics: tuple[Sequence[float], Sequence[float]] | None = None,
    options: ReadOptions = PLAIN,
) -> Dataset:
    """Load labeled images and split them, stratified, into the parts `train`, `search`, `report` and `test`.

    Which part an image falls into depends on its content and the seed, not on the order of the file. Data
    without a test part give a fixed fifth of each class to one, whatever the seed.

    Args:
        source: "digits"; the name of an entry point of the group `evonas.data`; an `.npz` file; a folder of
            parquet files or of images, with a ``targets.csv`` where these have continuous targets; `hub:NAME` or
            `owner/name` for the Hugging Face hub.
        resolution: Size that images are brought to, the side of a square or height and width; None
            keeps what the data have, and 64 at most for photos of several sizes.
        limit: Use this many training images at most, a stratified subset fixed by the seed.
        validation: Share of the training images that become the validation parts, `search` and `report`, in (0, 1).
        seed: Of the split, at least 0.
        device: Where the images live.
        channels: Channels that images are read with, 1 or 3: one channel is repeated, three are turned to gray; None:
            as many as they have.
        statistics: Mean and standard deviation of each channel that images are normalized by, of values in [0, 1];
            None: those of the train part.
        options: What the data leave open of how they are to be read.

    Raises:
        DataError: Unknown source, unreadable or malformed data, one class only, too few images for the split.
        MissingExtraError: The source needs a package that is not installed.
        SettingsError: A setting is out of range.
    """
    _check_settings(resolution, limit, validation, seed)
    with memory_in_words(Path(source).name):
        return read_readable(
            str(source),
            options,
            options.max_skipped,
            lambda found, skipped: _load(
                found, resolution, limit, validation, seed, device, channels, statistics, options, skipped
            ),
        )


def _load(
    found: Source,
    resolution: Size | None,
    limit: int | None,
    validation: float,
    seed: int,
    device: torch.device | str,
    channels: int | None,
    statistics: tuple[Sequence[float], Sequence[float]] | None,
    options: ReadOptions,
    skipped: tuple[Skipped, ...],
) -> Dataset:
    """Return the data set of a source whose images can be opened.

    Raises:
        UndecodableError: Some cannot be decoded.
    """
    found = treat_rare(found, options)
    digests = found.train.digests()
    train, test = found.train, found.test
    if test is None:
        kept, held_out = hold_out_test(found, order_keys(digests, TEST_SEED))
        train, test, digests = train.take(kept), train.take(held_out), digests[kept]
    hashes = {"train": digests, "test": test.digests()}
    contents = [(digests, train.labels), (hashes["test"], test.labels)]
    if found.validation is not None:
        hashes["validation"] = found.validation.digests()
        contents.append((hashes["validation"], found.validation.labels))
    own_channels, native = train.native()
    channels = channels or own_channels
    side = resolution or native

    keys = order_keys(digests, seed)
    rows = limit_rows(*list_strata(found, train.labels, keys, min(limit or len(train), len(train))), limit)
    decoded = len(rows) + (0 if found.validation is None else len(found.validation))
    memory = AS_NEEDED if options.lazy else refuse_too_large(decoded, channels, side, found.name)
    read = partial(_read_lazily if options.lazy else _read_parts, channels=channels, side=side)
    split = list_strata(found, train.labels[rows], keys[rows], len(rows))
    if found.validation is None:
        own, search, report = read(train, [rows[part] for part in divide_source(train, rows, split, validation, seed)])
    else:
        by_class = rows_by_class(split[0], split[1], len(split[2]))
        (own,) = read(train, [rows[interleave(by_class, split[1])]])
        search, report = _read_validation(found, found.validation, hashes["validation"], seed, read)
    pixels, counts = _check_pixels((own, search, report), channels)
    inventory = take_inventory(
        replace(found, train=train, test=test),
        hashes,
        channels=channels,
        resolution=side,
        asked=resolution is not None,
        memory=memory,
        skipped=skipped,
        seen=[*_shared(found), *pixels.warnings()],
    )
    own, search, report = own.to(device), search.to(device), report.to(device)
    mean, std = counts.statistics(found.scale) if statistics is None else _given_statistics(statistics, channels)
    balanced = options.class_weights == "balanced" and found.task == "classification"
    mirrored = mirrors(found.mirror, own_channels, options.flip)
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
        augment=default_augment(side, mirror=mirrored, fill=tuple(value * found.scale for value in mean)),
        fingerprint=data_fingerprint(
            found,
            contents,
            options,
            None if statistics is None else [mean, std],
            channels=channels,
            resolution=side,
            limit=len(rows),
            validation=validation,
            seed=seed,
        ),
        device=torch.device(device),
        task=found.task,
        notes=_notes(found, len(test), skipped, unmirrored=found.mirror and not mirrored and options.flip is None),
        skipped=skipped,
        inventory=inventory,
        balanced=balanced,
        lazy=options.lazy,
        max_skipped=options.max_skipped,
        _training_images=train,
        _test_images=test,
    )


def _read_validation(
    source: Source, given: Images, digests: np.ndarray, seed: int, read: Callable[..., list[Part]]
) -> list[Part]:
    """Return the parts `search` and `report` of data that bring a validation part."""
    split = list_strata(source, given.labels, order_keys(digests, seed), len(given))
    return read(given, halve_validation(given, split, seed))


def _check_pixels(parts: Sequence[Part], channels: int) -> tuple[PixelCheck, ChannelCounts]:
    """Return what the pixels of all parts show, and counts of the first part's values, whose mean normalizes images."""
    pixels, counts = PixelCheck(), ChannelCounts(channels)
    for number, chunk in chunks_of([part.images for part in parts]):
        pixels.add(chunk)
        if number == 0:
            counts.add(chunk)
    return pixels, counts


def _given_statistics(
    given: tuple[Sequence[float], Sequence[float]], channels: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and deviation that are asked for.

    Raises:
        SettingsError: Not one of each for every channel.
    """
    mean, std = tuple(given[0]), tuple(given[1])
    if not len(mean) == len(std) == channels:
        raise SettingsError(f"Expected a mean and a deviation of {channels} channels, got {len(mean)}, {len(std)}")
    return mean, std


def _shared(found: Source) -> list[str]:
    """Return warnings of groups that given parts share."""
    return shared_groups({part: images.groups for part, images in list_parts(found).items()})


def _notes(source: Source, held_out: int, skipped: Sequence[Skipped], *, unmirrored: bool) -> tuple[str, ...]:
    """Return what people should know of how the data were read and split."""
    notes = list(source.notes)
    if source.test is None and source.name != DIGITS:
        notes.append(f"There is no test part: {held_out} of the training images, a fifth of each class, are set aside")
    if source.validation is not None:
        notes.append(f"The validation part that is there is used: {len(source.validation)} images")
    if unmirrored:
        notes.append(NOT_MIRRORED)
    if skipped:
        notes.append(skipped_sentence(skipped))
    return tuple(notes)


def _read_parts(images: Images, rows: Sequence[np.ndarray], channels: int, side: Size) -> list[Part]:
    """Return parts of the images of given rows, decoded together."""
    joined, sizes = np.concatenate(rows), [len(part) for part in rows]
    pixels, labels = images.read(joined, channels, side), torch.from_numpy(images.labels[joined])
    return [Part(*pair) for pair in zip(torch.split(pixels, sizes), torch.split(labels, sizes), strict=True)]


def _read_lazily(images: Images, rows: Sequence[np.ndarray], channels: int, side: Size) -> list[Part]:
    """Return parts of the images of given rows, which are decoded as they are read."""
    cache, shape = usual_cache(), (channels, *height_width(side))
    return [Part(LazyImages(images, part, shape, cache), torch.from_numpy(images.labels[part])) for part in rows]


def _check_settings(resolution: Size | None, limit: int | None, validation: float, seed: int) -> None:
    if resolution is not None and min(height_width(resolution)) < 1:
        raise SettingsError(f"Expected a resolution of at least 1 pixel, got {size_text(resolution)}")
    if limit is not None and limit < 1:
        raise SettingsError(f"Expected a limit of at least 1 training image, got {limit}")
    if not 0 < validation < 1:
        raise SettingsError(f"Expected a validation share above 0 and below 1, got {validation}")
    if seed < 0:
        raise SettingsError(f"Expected a seed of at least 0, got {seed}")
