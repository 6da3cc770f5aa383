"""Classes with few images: named together, and left out, kept or refused as asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evonas.data.read_options import ReadOptions
from evonas.data.skipped import list_parts, with_parts
from evonas.data.source import Images, Source
from evonas.data.split import PARTS
from evonas.errors import DataError

__all__ = ["treat_rare"]

SHOWN = 40
"""Classes that an error or a note names."""


def treat_rare(source: Source, options: ReadOptions) -> Source:
    """Return a source in which classes with few training images are treated as asked.

    Where no class has as many as is asked for, none is rarer than the others: all are kept.

    Args:
        source: One that passed `check_source`; continuous targets have no classes.
        options: ``min_images`` that a class has at least, and ``rare``: ``drop`` leaves fewer out of all parts,
            ``keep`` keeps them, ``stop`` refuses them.

    Raises:
        DataError: Some are rare and to be refused, or fewer than two classes would be left.
    """
    if not source.labeled:
        return source
    counts = np.bincount(source.train.labels, minlength=len(source.classes))
    rare = [int(label) for label in np.argsort(counts, kind="stable") if counts[label] < options.min_images]
    if not rare or len(rare) == len(source.classes) or options.rare == "keep":
        return source
    what = "1 class has" if len(rare) == 1 else f"{len(rare)} of {len(source.classes)} classes have"
    shown = ", ".join(f"'{source.classes[label]}' {counts[label]}" for label in rare[:SHOWN])
    more = f" and {len(rare) - SHOWN} more" if len(rare) > SHOWN else ""
    said = f"{what} fewer than {options.min_images} training images: {shown}{more}"
    if options.rare == "stop":
        it = "it" if len(rare) == 1 else "them"
        least = PARTS + (source.test is None)
        enough = counts[rare[0]] >= least
        keep = f"or keep {it} by --rare keep" if enough else f"or add images, {least} are the least that a split needs"
        raise DataError(f"{said}; leave {it} out by --rare drop, {keep}")
    kept = [label for label in range(len(source.classes)) if label not in set(rare)]
    if len(kept) < 2:
        raise DataError(f"{said}; without them {len(kept)} of the classes would be left: lower --min-images")
    number = np.full(len(source.classes), -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    parts: dict[str, Images | None] = {}
    for part, images in list_parts(source).items():
        rows = np.flatnonzero(number[images.labels] >= 0)
        left = images.take(rows)
        parts[part] = replace(left, labels=number[left.labels]) if len(rows) else None  # type: ignore[type-var]  # every `Images` is a dataclass
    classes = tuple(source.classes[label] for label in kept)
    return with_parts(source, parts, classes=classes, notes=(*source.notes, f"{said}; left out"))
