"""Data sets of the Hugging Face hub; needs the package `datasets`, of the extra `data`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.decode import EncodedImages
from evonas.data.names import hub_name
from evonas.data.parquet import IMAGE_COLUMNS, LABEL_COLUMNS, TEST_PREFIXES, as_encoded, pick_column
from evonas.data.source import Source, as_labels, name_classes
from evonas.errors import DataError, require


def read_hub(source: str) -> Source | None:
    """Return a data set of the hub, `hub:NAME` or `owner/name`; None where `source` has neither form.

    An `owner/name` whose owner is a local folder is taken for a mistyped path, and not looked for on the hub.

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
    if "train" not in splits:
        raise DataError(f"Expected a split 'train' in '{name}' of the hub, it has {', '.join(splits)}")
    train, classes = _read_split(package, splits["train"], f"split train of '{name}'")
    held_out = next((split for split in TEST_PREFIXES if split in splits), None)
    test = None if held_out is None else _read_split(package, splits[held_out], f"split {held_out} of '{name}'")[0]
    return Source(name, classes, train, test)


def _read_split(package: Any, split: Any, where: str) -> tuple[EncodedImages, tuple[str, ...]]:
    image = pick_column(split.column_names, IMAGE_COLUMNS, where)
    label = pick_column(split.column_names, LABEL_COLUMNS, where)
    labels = as_labels(np.array(list(split[label])), f"column '{label}' in {where}")
    cells = list(split.cast_column(image, package.Image(decode=False))[image])
    names = getattr(split.features[label], "names", None)
    return as_encoded(cells, labels, where, Path()), name_classes(names, labels)
