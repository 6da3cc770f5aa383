"""Folders of parquet files in the layout of the Hugging Face hub; needs pyarrow, of the extra `data`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.decode import EncodedImages
from evonas.data.source import Source, as_labels, name_classes
from evonas.errors import DataError, require

IMAGE_COLUMNS = ("img", "image")
LABEL_COLUMNS = ("label", "labels", "fine_label")
TEST_PREFIXES = ("test", "validation", "valid", "val")


def read_parquet(source: str) -> Source | None:
    """Return the data of a folder with `train*.parquet`, itself or one folder below; None for others.

    The test part is `test*.parquet`, else `validation*.parquet`, else none. Columns: `img` or `image`, a
    struct of `bytes` and `path`; `label`, integers. Class names stand in the schema's "huggingface" metadata,
    else they are numbers.

    Raises:
        DataError: A file cannot be read, a column is missing, or images are.
        MissingExtraError: pyarrow is not installed.
    """
    root = Path(source)
    if not root.is_dir() or not any(root.rglob("*.parquet")):
        return None
    homes = [home for home in (root, *sorted(root.rglob("*"))) if home.is_dir() and any(home.glob("train*.parquet"))]
    if not homes:
        raise DataError(f"Expected train*.parquet in '{root}', got parquet files of other names: rename them")
    if homes[0] != root and len(homes) > 1:
        raise DataError(
            f"Expected one data set in '{root}', got {len(homes)} folders of train*.parquet: "
            f"name one, such as '{homes[0]}'"
        )
    home = homes[0]
    train, names = _read_part(sorted(home.glob("train*.parquet")))
    test = None
    for prefix in TEST_PREFIXES:
        if files := sorted(home.glob(f"{prefix}*.parquet")):
            test, _ = _read_part(files)
            break
    return Source(root.resolve().name, name_classes(names, train.labels), train, test)


def pick_column(columns: Iterable[str], accepted: Sequence[str], where: str) -> str:
    """Return the first of `accepted` that is among `columns`.

    Raises:
        DataError: None of them is.
    """
    held = list(columns)
    for name in accepted:
        if name in held:
            return name
    raise DataError(
        f"Expected a column '{accepted[0]}' or '{accepted[1]}' in {where}, it holds {', '.join(held)}: rename one"
    )


def as_encoded(
    cells: Sequence[Mapping[str, Any] | bytes | None], labels: np.ndarray, where: str, home: Path
) -> EncodedImages:
    """Return images given as the hub stores them: a mapping of `bytes` and `path`, or bare bytes.

    Args:
        cells: One per image; where `bytes` is None, `path` is a file, relative to `home`.
        labels: int64, shape (n,).
        where: What to call the table in an error.
        home: Folder of the table.

    Raises:
        DataError: A cell holds no image.
    """
    items: list[bytes | Path] = []
    for row, cell in enumerate(cells):
        content, path = (cell.get("bytes"), cell.get("path")) if isinstance(cell, Mapping) else (cell, None)
        if content is None and (path is None or not (home / path).is_file()):
            raise DataError(f"Row {row} of {where} holds no image (neither bytes nor an existing path): drop the row")
        items.append(content if content is not None else home / str(path))
    names = [str(item) if isinstance(item, Path) else f"row {row} of {where}" for row, item in enumerate(items)]
    return EncodedImages(items, labels, names)


def _read_part(files: list[Path]) -> tuple[EncodedImages, Sequence[str] | None]:
    arrow, parquet = require("pyarrow", "data"), require("pyarrow.parquet", "data")
    cells: list[Any] = []
    labels: list[np.ndarray] = []
    names: Sequence[str] | None = None
    for file in files:
        try:
            schema = parquet.read_schema(file)
            image = pick_column(schema.names, IMAGE_COLUMNS, f"'{file.name}'")
            label = pick_column(schema.names, LABEL_COLUMNS, f"'{file.name}'")
            table = parquet.read_table(file, columns=[image, label])
        except (OSError, arrow.ArrowException) as error:
            raise DataError(
                f"Cannot read '{file}' as parquet ({' '.join(str(error).split())}): download or write it again"
            ) from error
        if table[label].null_count:
            raise DataError(
                f"Expected a label in every row of '{file.name}', {table[label].null_count} are null: drop those rows"
            )
        cells.extend(_cells(table[image]))
        labels.append(as_labels(table[label].to_numpy(), f"column '{label}' of '{file.name}'"))
        names = names or _class_names(schema.metadata or {}, label)
    where = files[0].name if len(files) == 1 else f"{files[0].name} and its {len(files) - 1} successors"
    return as_encoded(cells, np.concatenate(labels), where, files[0].parent), names


def _cells(column: Any) -> Sequence[Any]:
    """Return the column as Python objects; the bytes alone where no row lacks them, as that is quicker."""
    types, compute = require("pyarrow.types", "data"), require("pyarrow.compute", "data")
    if types.is_struct(column.type) and "bytes" in [field.name for field in column.type]:
        content = compute.struct_field(column, "bytes")
        return list((content if content.null_count == 0 else column).to_pylist())
    if types.is_binary(column.type) or types.is_large_binary(column.type):
        return list(column.to_pylist())
    raise DataError(f"Expected the images as a struct of bytes and path, got {column.type}: write encoded image files")


def _class_names(metadata: Mapping[bytes, bytes], label: str) -> Sequence[str] | None:
    try:
        names = json.loads(metadata[b"huggingface"])["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return names if isinstance(names, list) else None
