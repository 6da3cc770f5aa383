"""Overview of all parts of a data set, with pictures: what ``evonas data`` shows."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evonas.data.augment import Augment, default_augment, mirrors
from evonas.data.groups import shared_groups
from evonas.data.inventory import Inventory, take_inventory
from evonas.data.lazy_images import LazyImages, usual_cache
from evonas.data.load import AS_NEEDED
from evonas.data.memory import memory_in_words, refuse_too_large
from evonas.data.pixel_warnings import pixel_warnings
from evonas.data.read_options import ReadOptions
from evonas.data.skipped import Skipped, list_parts
from evonas.data.source import Source
from evonas.data.source_readers import read_readable
from evonas.errors import require
from evonas.files.size import Size, height_width
from evonas.files.whole import cannot_write, write_whole

__all__ = ["Overview", "overview_of", "write_augmented", "write_overview"]

SHEET, TILE, COLUMNS = 40, 64, 8
"""Images of a contact sheet, pixels of each, and images in a row."""


@dataclass(frozen=True)
class Overview:
    """A data set, its inventory and decoded training images.

    Attributes:
        source: Without images that cannot be opened.
        inventory: What it holds.
        images: Training images, uint8, shape (n, c, h, w).
    """

    source: Source
    inventory: Inventory
    images: torch.Tensor

    def usual_augment(self, options: ReadOptions) -> Augment:
        """Return what suits these images, as `load_data` decides it."""
        mirror = mirrors(self.source.mirror, self.source.train.native()[0], options.flip)
        gray = 0.5 * self.source.scale  # of a blotted square
        return default_augment(self.images.shape[2], mirror=mirror, fill=(gray,))


def overview_of(name: str, options: ReadOptions, resolution: Size | None = None) -> Overview:
    """Return the overview of a data set, its test part included; images that cannot be opened are counted.

    Args:
        name: As `load_data` takes it.
        options: What the data leave open of how they are to be read.
        resolution: Size that they are brought to; None: what the data have.

    Raises:
        DataError: The data cannot be read at all.
    """
    with memory_in_words(name):
        return read_readable(name, options, 1.0, partial(_overview, resolution, options))


def _overview(resolution: Size | None, options: ReadOptions, source: Source, skipped: tuple[Skipped, ...]) -> Overview:
    """Return the overview of a source whose images can be opened.

    Raises:
        UndecodableError: Some cannot be decoded.
    """
    channels, native = source.train.native()
    side, parts = resolution or native, list_parts(source)
    if options.lazy:
        memory, cache = AS_NEEDED, {part: usual_cache() for part in parts}
        read: dict[str, torch.Tensor] = {
            part: LazyImages(images, np.arange(len(images)), (channels, *height_width(side)), cache[part])
            for part, images in parts.items()
        }
    else:
        memory = refuse_too_large(sum(map(len, parts.values())), channels, side, source.name)
        read = {part: images.read(np.arange(len(images)), channels, side) for part, images in parts.items()}
    inventory = take_inventory(
        source,
        {part: images.digests() for part, images in parts.items()},
        channels=channels,
        resolution=side,
        asked=resolution is not None,
        memory=memory,
        skipped=skipped,
        seen=[
            *shared_groups({part: images.groups for part, images in parts.items()}),
            *pixel_warnings(list(read.values())),
        ],
    )
    return Overview(source, inventory, read["train"])


def write_overview(overview: Overview, folder: Path) -> list[Path]:
    """Write the inventory as JSON, a contact sheet of each class and a histogram of sizes; return the files.

    Raises:
        RunError: A file cannot be written.
        MissingExtraError: Pillow or matplotlib is not installed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / "inventory.json"]
        write_whole(files[0], overview.inventory.to_json())
        if overview.source.labeled:
            for label, name in enumerate(overview.source.classes):
                rows = np.flatnonzero(overview.source.train.labels == label)[:SHEET]
                files.append(folder / f"class-{label}-{re.sub(r'[^A-Za-z0-9]+', '-', name)[:40]}.png")
                _sheet(overview.images[torch.from_numpy(rows)], overview.source.scale).save(files[-1])
        files.append(folder / "sizes.png")
        _histogram(overview.inventory, files[-1])
    except OSError as error:
        raise cannot_write(folder, error) from error
    return files


def write_augmented(
    overview: Overview, augment: Callable[[torch.Tensor, torch.Generator], torch.Tensor], file: Path
) -> None:
    """Write a picture of what training sees: in each row an image, then seven of its random changes.

    Args:
        overview: Images, of which the first eight are shown.
        augment: Random changes of a batch of uint8 images.
        file: A PNG file.

    Raises:
        RunError: It cannot be written.
        MissingExtraError: Pillow is not installed.
    """
    some = overview.images[:COLUMNS]
    repeated = some.repeat_interleave(COLUMNS, 0)
    changed = augment(repeated, torch.Generator().manual_seed(0))
    changed[::COLUMNS] = some
    stream = io.BytesIO()
    _sheet(changed, overview.source.scale).save(stream, "PNG")
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, stream.getvalue())


def _sheet(images: torch.Tensor, scale: float) -> Any:
    """Return images beside one another as a picture of Pillow's, eight in a row."""
    image = require("PIL.Image", "data")
    columns = COLUMNS
    sheet = image.new("RGB", (columns * TILE, -(-max(1, len(images)) // columns) * TILE), "white")
    for i, pixels in enumerate((images.float() * (255 / scale)).clamp(0, 255).to(torch.uint8)):
        shown = pixels[:3] if len(pixels) >= 3 else pixels[:1].expand(3, -1, -1)
        tile = image.fromarray(np.ascontiguousarray(shown.numpy().transpose(1, 2, 0))).resize((TILE, TILE))
        sheet.paste(tile, (i % columns * TILE, i // columns * TILE))
    return sheet


def _histogram(inventory: Inventory, file: Path) -> None:
    """Write a histogram of the shorter sides of images."""
    figure_module = require("matplotlib.figure", "report")
    sides = [min(map(int, size.split("x"))) for size in inventory.sizes]
    figure = figure_module.Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    axes.hist(sides, bins=min(40, max(1, len(set(sides)))), weights=list(inventory.sizes.values()))
    axes.set_xlabel("shorter side in pixels")
    axes.set_ylabel("images")
    figure.savefig(file)
