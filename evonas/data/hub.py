"""Data sets of the Hugging Face hub; needs the package `datasets`, of the extra `data`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.groups import group_column
from evonas.data.labels import number_labels, read_labels
from evonas.data.names import hub_name
from evonas.data.parquet import IMAGE_COLUMNS, LABEL_COLUMNS, UNKNOWN, as_encoded, pick_column
from evonas.data.part_names import part_of_shard
from evonas.data.read_options import PLAIN, ReadOptions
from evonas.data.source import Source
from evonas.errors import DataError, require


def read_hub(source: str, options: ReadOptions = PLAIN) -> Source | None:
    """Return a data set of the hub, `hub:NAME` or `owner/name`; None where `source` has neither form.

    An `owner/name` whose owner is a local folder is taken for a mistyped path, and not searched for on the hub.

    Raises:
        DataError: The hub does not give it, or it has no training split, image column or label column.
        MissingExtraError: `datasets` is not installed.
    """
    name = hub_name(source)
    if name is None:
        return None
    package = require("datasets", "data")
    try:
        splits = package.load_dataset(name)
    except Exception as error:  # network, name, format: the package raises anything
        raise DataError(
            f"Cannot load '{name}' from the hub ({' '.join(str(error).split())[:200]}): check the name and the network"
        ) from error
    found: dict[str, str] = {}
    for split in splits:
        if (part := part_of_shard(split)) is not None:
            found.setdefault(part, split)
    if "train" not in found:
        raise DataError(f"Expected a split 'train' in '{name}' of the hub, it has {', '.join(splits)}")
    others = [split for split in splits if split not in found.values()]
    read = {part: _read_split(package, splits[split], name, split, options) for part, split in found.items()}
    notes = [f"Left out splits of other names: {', '.join(others)}"] if others else []
    for part in ("validation", "test"):
        if part in read and read[part][1].dtype.kind == "i" and (read[part][1] == UNKNOWN).all():
            notes.append(f"The {part} part has no labels and is left out")
            del read[part]
    numbered, classes = number_labels({part: one[1] for part, one in read.items()}, read["train"][2], name)
    parts = {
        part: as_encoded(one[0], numbered[part], f"split {found[part]} of '{name}'", Path(), one[3])
        for part, one in read.items()
    }
    return Source(
        name, classes, parts["train"], parts.get("test"), validation=parts.get("validation"), notes=tuple(notes)
    )


def _read_split(
    package: Any, split: Any, name: str, called: str, options: ReadOptions
) -> tuple[list[Any], np.ndarray, list[str] | None, np.ndarray | None]:
    """Return cells, labels, class names and groups of a split."""
    where = f"split {called} of '{name}'"
    image = pick_column(split.column_names, IMAGE_COLUMNS, where, options.image_column, "--image-column")
    label = pick_column(split.column_names, LABEL_COLUMNS, where, options.label_column, "--label-column")
    labels = read_labels(np.array(list(split[label])), f"column '{label}' in {where}")
    cells = list(split.cast_column(image, package.Image(decode=False))[image])
    groups = None
    if options.group is not None:
        column = pick_column(split.column_names, (), where, options.group, "--group")
        groups = group_column(list(split[column]), column, where)
    return cells, labels, getattr(split.features[label], "names", None), groups
