"""Images that are left out because they cannot be read, up to a share of all; beyond it they are an error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evonas.data.decode import EncodedImages
from evonas.data.source import Images, Source
from evonas.errors import DataError

__all__ = [
    "Skipped",
    "drop_images",
    "drop_unreadable",
    "list_parts",
    "refuse_many",
    "skipped_sentence",
    "skipped_table",
    "with_parts",
]

SHOWN = 40
"""Images that an error names."""


@dataclass(frozen=True)
class Skipped:
    """An image that was left out.

    Attributes:
        part: Part that it belongs to: ``train``, ``validation`` or ``test``.
        name: Its file, or its row of a table.
        reason: What the decoder said.
    """

    part: str
    name: str
    reason: str


def skipped_table(skipped: Sequence[Skipped]) -> list[tuple[str, str, str]]:
    """Return the rows of a table of what was left out, headings first."""
    return [("part", "name", "reason"), *((one.part, one.name, one.reason) for one in skipped)]


def skipped_sentence(skipped: Sequence[Skipped], what: str = "images") -> str:
    """Return in one sentence what was left out, at least one."""
    names = ", ".join(one.name for one in skipped[:3]) + (f" and {len(skipped) - 3} more" if len(skipped) > 3 else "")
    return f"Skipped {len(skipped)} {what} that cannot be read: {names} ({skipped[0].reason})"


def list_parts(source: Source) -> dict[str, Images]:
    """Return the parts that a source has, by name, training first."""
    held = {"train": source.train, "validation": source.validation, "test": source.test}
    return {part: images for part, images in held.items() if images is not None}


def with_parts(source: Source, parts: Mapping[str, Images | None], **changed: Any) -> Source:
    """Return a source with other images in some parts; None takes a part away, other than training.

    Args:
        source: What to change.
        parts: Images by part.
        **changed: Further fields.
    """
    held = {"train": source.train, "validation": source.validation, "test": source.test, **parts}
    train = held["train"]
    assert train is not None
    return replace(source, train=train, validation=held["validation"], test=held["test"], **changed)


def drop_unreadable(source: Source, share: float) -> tuple[Source, tuple[Skipped, ...]]:
    """Return a source without images whose header cannot be read, and these.

    Args:
        source: As its reader found it.
        share: Share of all images that may be left out, in [0, 1].

    Raises:
        DataError: There are more; all are named, up to 40.
    """
    bad = {
        part: {images.names[row]: reason for row, reason in images.unreadable().items()}
        for part, images in list_parts(source).items()
        if isinstance(images, EncodedImages)
    }
    if not any(bad.values()):
        return source, ()
    return drop_images(source, bad, share, ())


def drop_images(
    source: Source, bad: Mapping[str, Mapping[str, str]], share: float, before: Sequence[Skipped]
) -> tuple[Source, tuple[Skipped, ...]]:
    """Return a source without some images, and all that were left out.

    Args:
        source: What to leave them out of.
        bad: By part, names of images and why each cannot be read.
        share: See `drop_unreadable`.
        before: Images that were left out before.

    Raises:
        DataError: See `drop_unreadable`.
    """
    parts = list_parts(source)
    total = sum(map(len, parts.values())) + len(before)
    skipped = (*before, *(Skipped(part, name, why) for part, held in bad.items() for name, why in held.items()))
    refuse_many(skipped, total, share)
    kept: dict[str, Images | None] = {}
    for part, held in bad.items():
        images = parts[part]
        assert isinstance(images, EncodedImages)  # arrays have nothing that cannot be read
        left = images.take(np.array([row for row, name in enumerate(images.names) if name not in held], int))
        kept[part] = left if len(left) or part == "train" else None
    return with_parts(source, kept), skipped


def refuse_many(skipped: Sequence[Skipped], total: int, share: float) -> None:
    """Refuse to leave out more than a share of all images.

    Raises:
        DataError: There are more.
    """
    if len(skipped) <= share * total:
        return
    shown = ", ".join(one.name for one in skipped[:SHOWN])
    more = f" and {len(skipped) - SHOWN} more" if len(skipped) > SHOWN else ""
    raise DataError(
        f"{len(skipped)} of {total} images cannot be decoded: {shown}{more} ({skipped[0].reason}); repair or remove "
        f"them, or skip them by --max-skipped {math.ceil(100 * len(skipped) / total)}%"
    )
