"""Inventory of a data set, taken before anything expensive: parts, classes, sizes, what was left out, warnings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from evonas.data.arrays import ArrayImages
from evonas.data.decode import EncodedImages
from evonas.data.photo import cropped_size
from evonas.data.skipped import Skipped, list_parts
from evonas.data.source import Images, Source
from evonas.files.size import Size, height_width, size_text

__all__ = ["Inventory", "inventory_lines", "take_inventory"]

FEW_IN_CLASS, UNEQUAL = 20, 10
"""Images of a class, and ratio of the largest class to the smallest, that are warned of."""
CROPPED = 0.2
"""Share of the average image that a crop may leave out without a warning."""
SHOWN = 5
"""Names that a warning shows."""
WIDTH, LINES = 80, 10
"""Columns and lines of the printed block."""


@dataclass(frozen=True)
class Inventory:
    """Contents of a data set.

    Attributes:
        name: Short name of the data.
        classes: Names of the classes, or of continuous targets.
        counts: By part, images of each class in order; of continuous targets the number of images alone.
        sizes: Number of images by size, ``WxH``.
        modes: Number of images by Pillow's mode, or type of array.
        channels: Channels that images are read with.
        resolution: Size that they are brought to.
        reason: Why that one.
        memory: What they take once decoded, in words.
        left_out: Number of files by reason.
        skipped: Images that cannot be read.
        warnings: A sentence each.
    """

    name: str
    classes: tuple[str, ...]
    counts: dict[str, tuple[int, ...]]
    sizes: dict[str, int]
    modes: dict[str, int]
    channels: int
    resolution: Size
    reason: str
    memory: str
    left_out: dict[str, int]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]

    @property
    def largest_share(self) -> float:
        """Share of the largest class among training images."""
        return max(self.counts["train"]) / max(1, sum(self.counts["train"]))

    def to_json(self) -> str:
        """Return it as JSON, with the share of the largest class."""
        return json.dumps({**asdict(self), "largest_share": self.largest_share}, indent=1) + "\n"


def take_inventory(
    source: Source,
    digests: Mapping[str, np.ndarray],
    *,
    channels: int,
    resolution: Size,
    asked: bool,
    memory: str,
    skipped: Sequence[Skipped] = (),
    seen: Sequence[str] = (),
) -> Inventory:
    """Return the inventory of a source; nothing is decoded.

    Args:
        source: As its reader found it, without images that cannot be opened.
        digests: By part, a hash of each image, uint8, shape (n, 16).
        channels: See `Inventory`.
        resolution: See `Inventory`.
        asked: Whether a person asked for that resolution.
        memory: See `Inventory`.
        skipped: See `Inventory`.
        seen: Warnings of what decoded pixels show.
    """
    parts = list_parts(source)
    sizes: Counter[str] = Counter()
    modes: Counter[str] = Counter()
    for images in parts.values():
        for mode, size in _headers(images):
            modes[mode] += 1
            sizes[size] += 1
    labeled = source.labeled
    counts = {
        part: tuple(np.bincount(images.labels, minlength=len(source.classes)).tolist()) if labeled else (len(images),)
        for part, images in parts.items()
    }
    fit = source.train.fit if isinstance(source.train, ArrayImages | EncodedImages) else "crop"
    reason = "asked for" if asked else _reason(list(sizes), resolution)
    warnings = [
        *(_class_warnings(source.classes, counts) if labeled else _like_classes(source)),
        *_twice(source, parts, digests),
        *_cropped(sizes, resolution, fit),
        *seen,
    ]
    return Inventory(
        source.name,
        source.classes,
        counts,
        dict(sizes.most_common()),
        dict(modes.most_common()),
        channels,
        resolution,
        reason,
        memory,
        dict(source.left_out),
        tuple(skipped),
        tuple(warnings),
    )


def _reason(sizes: Sequence[str], resolution: Size) -> str:
    """Return why images are read at a resolution, given their sizes."""
    if len(sizes) == 1:
        sides = [int(side) for side in sizes[0].split("x")]
        if not isinstance(resolution, int):
            return "the size of all images"
        if resolution == max(sides) > min(sides):
            return "the longer side of all images"
        if resolution == min(sides):
            return "the side of all images" if len(set(sides)) == 1 else "the shorter side of all images"
    return "64, or the median shorter side if less"


def inventory_lines(inventory: Inventory, *, whole: bool = False) -> list[str]:
    """Return the inventory as a block of at most 10 lines of at most 80 columns.

    Args:
        inventory: What to show.
        whole: Show all of it, whatever its length.
    """
    one = inventory
    total = sum(sum(held) for held in one.counts.values())
    lines = [f"Data {one.name}: {total:,} images, {len(one.classes)} classes, {one.memory}, {one.channels} channels"]
    for part, held in one.counts.items():
        named = ", ".join(f"{name} {count}" for name, count in zip(one.classes, held, strict=False))
        lines.append(f"  {part} {sum(held):,}: {named}" if len(held) > 1 else f"  {part} {sum(held):,}")
    if len(one.counts["train"]) > 1:
        lines[1] = lines[1].replace(":", f" (largest class {one.largest_share:.0%}):", 1)
    kinds = ", ".join(one.modes)
    sizes = ", ".join(list(one.sizes)[:3]) + (f" and {len(one.sizes) - 3} more" if len(one.sizes) > 3 else "")
    lines.append(f"  {kinds} of {sizes}; read at {size_text(one.resolution)} px ({one.reason})")
    out = [f"{count} {reason}" for reason, count in sorted(one.left_out.items())]
    out += [f"{len(one.skipped)} unreadable"] if one.skipped else []
    if out:
        count = sum(one.left_out.values()) + len(one.skipped)
        lines.append(f"  left out {count} files: {', '.join(out)}")
    room = LINES - len(lines)
    shown = list(one.warnings) if whole or len(one.warnings) <= room else list(one.warnings[: room - 1])
    lines += [f"  ! {text}" for text in shown]
    if len(shown) < len(one.warnings):
        lines.append(f"  ! {len(one.warnings) - len(shown)} more warnings: see  evonas data")
    return [line if whole or len(line) <= WIDTH else line[: WIDTH - 1] + "…" for line in lines]


def _headers(images: Images) -> Iterator[tuple[str, str]]:
    """Yield mode and size of each image."""
    if isinstance(images, EncodedImages):
        for found in images.headers():
            if not isinstance(found, str):
                yield found[0], f"{found[1][0]}x{found[1][1]}"
        return
    channels, height, width = images.shape()
    for _ in range(len(images)):
        yield f"{channels} channel{'s' if channels > 1 else ''}", f"{width}x{height}"


def _class_warnings(classes: Sequence[str], counts: Mapping[str, Sequence[int]]) -> Iterator[str]:
    for part, held in counts.items():
        if missing := [name for name, count in zip(classes, held, strict=True) if not count]:
            yield f"the {part} part has no images of {_names(missing)}"
    train = counts["train"]
    if few := [name for name, count in zip(classes, train, strict=True) if 0 < count < FEW_IN_CLASS]:
        yield f"under {FEW_IN_CLASS} training images in {len(few)} of {len(classes)} classes: {_names(few)}"
    least, most = min((count for count in train if count), default=0), max(train)
    if least and most > UNEQUAL * least:
        yield f"unequal classes: {most} images in the largest, {least} in the smallest"


def _like_classes(source: Source) -> Iterator[str]:
    """Yield a warning where continuous targets are few whole numbers from 0 or 1 on without gaps, as classes are."""
    targets = np.asarray(source.train.labels)
    if source.task != "regression" or targets.size != len(targets):
        return
    found = np.unique(targets)
    if 2 * len(found) <= len(targets) and found[0] in (0, 1) and (np.diff(found) == 1).all():
        yield f"the targets are {len(found)} whole numbers, read as values: write them as integers if they are classes"


def _cropped(sizes: Mapping[str, int], resolution: Size, fit: str) -> Iterator[str]:
    """Yield a warning where a crop to the shape of the resolution leaves out much of the average image."""
    if fit != "crop":
        return
    wanted, lost = height_width(resolution), 0.0
    for size, count in sizes.items():
        width, height = map(int, size.split("x"))
        rows, columns = cropped_size((height, width), wanted)
        lost += count * (1 - rows * columns / (height * width))
    lost /= max(1, sum(sizes.values()))
    if lost > CROPPED:
        shape = "squares" if isinstance(resolution, int) else size_text(resolution)
        yield (
            f"cropped to {shape}, {lost:.0%} of the average image are left out: --fit pad or stretch keeps all of it, "
            "--resolution HEIGHTxWIDTH its shape"
        )


def _twice(source: Source, parts: Mapping[str, Images], digests: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Yield warnings of equal images in two parts or under two classes."""
    held = {part: [digest.tobytes() for digest in digests[part]] for part in parts if part in digests}
    train = set(held.get("train", ()))
    for part in ("validation", "test"):
        if common := sum(digest in train for digest in held.get(part, ())):
            yield f"{common} images of the {part} part are in training as well"
    if not source.labeled:
        return
    classes: dict[bytes, set[int]] = {}
    for part, found in held.items():
        for digest, label in zip(found, parts[part].labels.tolist(), strict=True):
            classes.setdefault(digest, set()).add(label)
    if several := [labels for labels in classes.values() if len(labels) > 1]:
        pair = " and ".join(source.classes[label] for label in sorted(several[0])[:2])
        yield f"{len(several)} images stand under two classes, such as {pair}"


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
