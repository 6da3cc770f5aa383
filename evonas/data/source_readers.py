"""Readers of sources: the first that knows a name gives its images, and those that cannot be read are left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from evonas.data.arrays import ArrayImages
from evonas.data.decode import EncodedImages, UndecodableError
from evonas.data.digits import read_embedded
from evonas.data.folder import read_folder
from evonas.data.hub import read_hub
from evonas.data.names import unknown_data
from evonas.data.npz import read_npz
from evonas.data.parquet import read_parquet
from evonas.data.plugins import read_plugin
from evonas.data.ranges import white_of
from evonas.data.read_options import PLAIN, ReadOptions
from evonas.data.skipped import Skipped, drop_images, drop_unreadable, list_parts, with_parts
from evonas.data.source import Images, Source, check_source
from evonas.data.targets_folder import read_targets_folder
from evonas.errors import DataError

__all__ = ["find_source", "read_readable"]

READERS: tuple[Callable[[str, ReadOptions], Source | None], ...] = (
    read_embedded,
    read_plugin,
    read_npz,
    read_parquet,
    read_targets_folder,
    read_folder,
    read_hub,
)
"""Those asked in turn; a reader returns None where a name is none of its own."""

T = TypeVar("T")


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


def _fitted(source: Source, fit: str) -> Source:
    """Return a source whose images become squares in another way than by a crop."""
    parts: dict[str, Images | None] = {}
    for part, images in list_parts(source).items():
        assert isinstance(images, ArrayImages | EncodedImages)  # what readers make
        parts[part] = replace(images, fit=fit)
    return with_parts(source, parts)


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
