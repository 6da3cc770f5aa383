"""From the name of a source to a data set: find, check, split, read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from evonas.data.arrays import ArrayImages
from evonas.data.augment import default_augment, mirrors
from evonas.data.dataset import ChannelCounts, Dataset
from evonas.data.decode import EncodedImages, UndecodableError
from evonas.data.digits import read_embedded
from evonas.data.folder import read_folder
from evonas.data.groups import divide_groups, halve_groups, hold_out_groups, shared_groups
from evonas.data.hub import read_hub
from evonas.data.inventory import take_inventory
from evonas.data.lazy_images import LazyImages, chunks_of, usual_cache
from evonas.data.memory import memory_in_words, refuse_too_large
from evonas.data.names import DIGITS, unknown_data
from evonas.data.npz import read_npz
from evonas.data.parquet import read_parquet
from evonas.data.part import Part
from evonas.data.pixel_warnings import PixelLook
from evonas.data.plugins import read_plugin
from evonas.data.ranges import white_of
from evonas.data.rare import treat_rare
from evonas.data.read_options import PLAIN, ReadOptions
from evonas.data.skipped import Skipped, drop_images, drop_unreadable, list_parts, skipped_sentence, with_parts
from evonas.data.source import Images, Source, check_source
from evonas.data.split import (
    TEST_SEED,
    divide,
    halve,
    hold_out,
    interleave,
    limit_rows,
    order_keys,
    rows_by_class,
)
from evonas.data.targets import strata
from evonas.data.targets_folder import read_targets_folder
from evonas.errors import DataError, SettingsError

NOT_MIRRORED = "The images are gray and are not mirrored in training; --flip mirrors them"
AS_NEEDED = "decoded as they are read"
"""What lazy images take of memory, in words."""
FORMAT = 1  # part of the fingerprint; raised when the same files would give other parts
READERS: tuple[Callable[[str, ReadOptions], Source | None], ...] = (
    read_embedded,
    read_plugin,
    read_npz,
    read_parquet,
    read_targets_folder,
    read_folder,
    read_hub,
)


T = TypeVar("T")


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
    options: ReadOptions = PLAIN,
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


def read_readable(name: str, options: ReadOptions, share: float, read: Callable[[Source, tuple[Skipped, ...]], T]) -> T:
    """Return what is read of a source, without its images that cannot be.

    Args:
        name: See `load_data`.
        options: What the data leave open of how they are to be read.
        share: Share of all images that may be left out, in [0, 1].
        read: Given the source, checked, one value meaning white in all its parts, and what was left out of it. It is
            asked again without the images that it finds undecodable.

    Raises:
        DataError: Unknown source, malformed data, or more images that cannot be read.
    """
    found, skipped = drop_unreadable(find_source(name, options), share)
    while True:
        check_source(found)
        try:
            return read(_one_depth(found), skipped)
        except UndecodableError as error:  # found while decoding: as if they had not been there
            bad = {
                part: {name: error.bad[name] for name in images.names if name in error.bad}
                for part, images in list_parts(found).items()
                if isinstance(images, EncodedImages)
            }
            found, skipped = drop_images(found, bad, share, skipped)


def _load(
    found: Source,
    resolution: int | None,
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
        keys = order_keys(digests, TEST_SEED)
        kept, held_out = _hold_out(found, keys)
        train, test, digests = train.take(kept), train.take(held_out), digests[kept]
    own_channels, native = train.native()
    channels = channels or own_channels
    side = resolution or native

    keys = order_keys(digests, seed)
    rows = limit_rows(*_strata(found, train.labels, keys, min(limit or len(train), len(train))), limit)
    decoded = len(rows) + (0 if found.validation is None else len(found.validation))
    memory = AS_NEEDED if options.lazy else refuse_too_large(decoded, channels, side, found.name)
    read = partial(_read_lazily if options.lazy else _read_parts, channels=channels, side=side)
    strata = _strata(found, train.labels[rows], keys[rows], len(rows))
    if found.validation is None:
        divided = _divide(train, rows, strata, validation, seed)
        own, search, report = read(train, [rows[part] for part in divided])
    else:
        by_class = rows_by_class(strata[0], strata[1], len(strata[2]))
        (own,) = read(train, [rows[interleave(by_class, strata[1])]])
        given = found.validation
        given_digests = given.digests()
        given_keys = order_keys(given_digests, seed)
        halves = _halve(given, _strata(found, given.labels, given_keys, len(given)), seed)
        search, report = read(given, halves)
    look, counts = PixelLook(), ChannelCounts(channels)
    for number, chunk in chunks_of([own.images, search.images, report.images]):
        look.add(chunk)
        if number == 0:
            counts.add(chunk)
    contents = [(digests, train.labels), (test.digests(), test.labels)]
    hashes = {"train": digests, "test": contents[1][0]}
    if found.validation is not None:
        contents.append((given_digests, given.labels))
        hashes["validation"] = given_digests
    inventory = take_inventory(
        replace(found, train=train, test=test),
        hashes,
        channels=channels,
        resolution=side,
        asked=resolution is not None,
        memory=memory,
        skipped=skipped,
        seen=[*_shared(found), *look.warnings()],
    )
    own, search, report = own.to(device), search.to(device), report.to(device)
    mean, std = counts.statistics(found.scale)
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
    balanced = options.class_weights == "balanced" and found.labeled
    balanced = options.class_weights == "balanced" and found.task == "classification"
    if options.fit != "crop":
        settings["fit"] = options.fit
    if options.group is not None:
        settings["group"] = options.group
    if balanced:
        settings["class weights"] = options.class_weights
    mirrored = mirrors(found.mirror, own_channels, options.flip)
    unmirrored = [NOT_MIRRORED] if found.mirror and not mirrored and options.flip is None else []
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
        fingerprint=_fingerprint(settings, contents),
        device=torch.device(device),
        task=found.task,
        notes=(*_notes(found, len(test)), *unmirrored, *_skipped_notes(skipped)),
        skipped=skipped,
        inventory=inventory,
        balanced=balanced,
        lazy=options.lazy,
        max_skipped=options.max_skipped,
        _training_images=train,
        _test_images=test,
    )


def _shared(found: Source) -> list[str]:
    """Return warnings of groups that given parts share."""
    return shared_groups({part: images.groups for part, images in list_parts(found).items()})


def _notes(source: Source, held_out: int) -> tuple[str, ...]:
    """Return what people should know of how the data were read and split."""
    notes = list(source.notes)
    if source.test is None and source.name != DIGITS:
        notes.append(f"There is no test part: {held_out} of the training images, a fifth of each class, are set aside")
    if source.validation is not None:
        notes.append(f"The validation part that is there is used: {len(source.validation)} images")
    return tuple(notes)


def _skipped_notes(skipped: Sequence[Skipped]) -> tuple[str, ...]:
    return (skipped_sentence(skipped),) if skipped else ()


def _fitted(source: Source, fit: str) -> Source:
    """Return a source whose images become squares in another way than by a crop."""
    parts: dict[str, Images | None] = {}
    for part, images in list_parts(source).items():
        assert isinstance(images, ArrayImages | EncodedImages)  # what readers make
        parts[part] = replace(images, fit=fit)
    return with_parts(source, parts)


def find_source(name: str, options: ReadOptions = PLAIN) -> Source:
    """Return the source of that name, from the first reader that knows it.

    Args:
        name: See `load_data`.
        options: What the data leave open of how they are to be read.

    Raises:
        DataError: No reader does.
    """
    for read in READERS:
        if (found := read(name, options)) is not None:
            if options.group is not None and found.train.groups is None:
                raise DataError(f"The data '{found.name}' have no columns, so no groups by '{options.group}'")
            found = _for_task(found, options.task)
            return found if options.fit == "crop" else _fitted(found, options.fit)
    raise unknown_data(name)


def _for_task(source: Source, task: str | None) -> Source:
    """Return a source whose targets are for a task, by default the one that they were read for.

    Raises:
        DataError: One of the two tasks that targets are read for, and not that of these.
    """
    if task in ("classification", "regression") and task != source.task:
        raise DataError(
            f"Expected data for {task}, got '{source.name}' with targets for {source.task}: leave --task out"
        )
    return source if task is None else replace(source, task=task)


def _one_depth(source: Source) -> Source:
    """Return a source in whose encoded images of more than 8 bits one value means white, found over all parts."""
    encoded = {part: one for part, one in list_parts(source).items() if isinstance(one, EncodedImages)}
    found = [extent for images in encoded.values() for extent in images.extents()]
    if not found:
        return source
    kinds = {kind for kind, _, _ in found}
    if len(kinds) > 1:
        raise DataError(f"Expected images of one kind of values, got {' and '.join(sorted(kinds))}: convert them")
    low, high = min(low for _, low, _ in found), max(high for _, _, high in found)
    white = white_of(np.dtype(kinds.pop()), low, high, f"{len(found)} images of more than 8 bits")
    return with_parts(source, {part: images.deep(white) for part, images in encoded.items()})


def _hold_out(source: Source, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows for training and for the test part of data that bring none; groups are kept whole."""
    labels, keys, classes = _strata(source, source.train.labels, keys, len(source.train))
    if source.train.groups is None:
        return hold_out(labels, keys, classes)
    return hold_out_groups(labels, source.train.groups, classes)


def _divide(
    train: Images,
    rows: np.ndarray,
    strata: tuple[np.ndarray, np.ndarray, tuple[str, ...]],
    validation: float,
    seed: int,
) -> Sequence[np.ndarray]:
    """Return which of some rows are train, search and report; groups are kept whole."""
    labels, keys, classes = strata
    if train.groups is None:
        return divide(labels, keys, classes, validation)
    return [_ordered(part, strata) for part in divide_groups(labels, train.groups[rows], classes, validation, seed)]


def _halve(given: Images, strata: tuple[np.ndarray, np.ndarray, tuple[str, ...]], seed: int) -> Sequence[np.ndarray]:
    """Return which rows of a given validation part are search and report; groups are kept whole."""
    labels, keys, classes = strata
    if given.groups is None:
        return halve(labels, keys, classes)
    return [_ordered(part, strata) for part in halve_groups(labels, given.groups, classes, seed)]


def _ordered(rows: np.ndarray, strata: tuple[np.ndarray, np.ndarray, tuple[str, ...]]) -> np.ndarray:
    """Return rows in an order in which every prefix is nearly stratified."""
    labels, keys, classes = strata
    by_class = [rows[part] for part in rows_by_class(labels[rows], keys[rows], len(classes))]
    return interleave(by_class, keys)


def _read_parts(images: Images, rows: Sequence[np.ndarray], channels: int, side: int) -> list[Part]:
    """Return parts of the images of given rows, decoded together."""
    joined, sizes = np.concatenate(rows), [len(part) for part in rows]
    pixels, labels = images.read(joined, channels, side), torch.from_numpy(images.labels[joined])
    return [Part(*pair) for pair in zip(torch.split(pixels, sizes), torch.split(labels, sizes), strict=True)]


def _read_lazily(images: Images, rows: Sequence[np.ndarray], channels: int, side: int) -> list[Part]:
    """Return parts of the images of given rows, which are decoded as they are read."""
    cache, shape = usual_cache(), (channels, side, side)
    return [Part(LazyImages(images, part, shape, cache), torch.from_numpy(images.labels[part])) for part in rows]


def _fingerprint(settings: dict[str, object], contents: Sequence[tuple[np.ndarray, np.ndarray]]) -> str:
    fingerprint = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for digest, labels in contents:
        fingerprint.update(np.ascontiguousarray(digest).tobytes())
        fingerprint.update(labels.astype("<f4" if labels.dtype.kind == "f" else "<i8").tobytes())
    return fingerprint.hexdigest()


def _strata(
    source: Source, labels: np.ndarray, keys: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return what a split keeps in proportion, with keys and names: classes, or quantiles of continuous targets."""
    if source.labeled:
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
