"""Folders of parquet files in the layout of the Hugging Face hub; needs pyarrow, of the extra `data`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from evonas.data.decode import EncodedImages
from evonas.data.groups import group_column
from evonas.data.labels import number_labels, read_labels
from evonas.data.parquet_files import chosen_parts, parquet_files, parquet_parts
from evonas.data.read_options import PLAIN, ReadOptions
from evonas.data.source import Source
from evonas.data.walk import walk
from evonas.errors import DataError, require, suggest

IMAGE_COLUMNS = (
    "img", "image", "images", "picture", "photo", "pixel_values", "image_bytes", "img_bytes", "jpg", "jpeg", "png",
    "webp",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "labels", "fine_label", "target", "targets", "class", "category", "y", "cls", "class_name", "label_name",
)  # fmt: skip
UNKNOWN = -1
"""Label of images whose class is kept secret, as the hub's test parts have it."""


def read_parquet(source: str, options: ReadOptions = PLAIN) -> Source | None:
    """Return the data of a parquet file, a folder of such, or folders of them below; None for others.

    A part is the files ``train.parquet``, ``train-0.parquet``, ``train-00000-of-00002.parquet``, or a folder
    ``train``, ``split=train`` or ``partial-train`` of files of any name; likewise ``validation`` and ``test`` by their
    usual names. Where none is called so, ``cifar10_train.parquet`` is, if no other split names that part; files of one
    name that is no part's are training. Files of splits of another name are not joined, and noted. A part whose labels
    are unknown is none. Columns: images as the hub stores them, labels of any kind that `evonas.data.labels` reads.
    Class names stand in the schema's "huggingface" metadata, else labels name themselves.

    Raises:
        DataError: A file cannot be read, a column is missing, or images are.
        MissingExtraError: pyarrow is not installed.
    """
    root = Path(source)
    notes: list[str] = []
    if root.is_file() and root.suffix.lower() == ".parquet":
        files, root = {"train": [root]}, root.parent
    elif root.is_dir() and (held := parquet_files(root)):
        homes, foreign = parquet_parts(root, held)
        if not any("train" in parts for parts in homes.values()) and walk(root).images:
            return None  # a table beside class folders of images
        files, notes = chosen_parts(root, homes, foreign)
    else:
        return None
    read = {part: _read_part(paths, root, options, part) for part, paths in files.items()}
    for part in ("validation", "test"):
        if part in read and read[part].labels.dtype.kind == "i" and (read[part].labels == UNKNOWN).all():
            notes.append(f"The {part} part has no labels and is left out")
            del read[part]
    name = Path(source).resolve().name.removesuffix(".parquet")
    numbered, classes = number_labels({part: one.labels for part, one in read.items()}, read["train"].names, name)
    parts = {part: as_encoded(one.cells, numbered[part], one.where, one.home, one.groups) for part, one in read.items()}
    return Source(
        name, classes, parts["train"], parts.get("test"), validation=parts.get("validation"), notes=tuple(notes)
    )


def pick_column(columns: Iterable[str], accepted: Sequence[str], where: str, asked: str | None, option: str) -> str:
    """Return the column that is asked for, else the first of `accepted` that is among `columns`.

    Raises:
        DataError: None of them is.
    """
    held = list(columns)
    for name in (asked,) if asked is not None else accepted:
        if name in held:
            return name
    if asked is None:
        folded = {name.lower(): name for name in reversed(held)}
        for name in accepted:
            if name in folded:
                return folded[name]
    expected = f"'{asked}'" if asked is not None else f"'{accepted[0]}' or '{accepted[1]}'"
    hint = suggest(asked, held) if asked is not None else ""
    raise DataError(
        f"Expected a column {expected} in {where}, it holds {', '.join(held)}: name it by {option} COLUMN.{hint}"
    )


def names_column(columns: Iterable[str], accepted: Sequence[str], asked: str | None) -> bool:
    """Return whether `pick_column` finds a column."""
    held = list(columns)
    return asked in held if asked is not None else not {name.lower() for name in held}.isdisjoint(accepted)


def as_encoded(
    cells: Sequence[Mapping[str, Any] | bytes | None],
    labels: np.ndarray,
    where: str,
    home: Path,
    groups: np.ndarray | None = None,
) -> EncodedImages:
    """Return images given as the hub stores them: a mapping of `bytes` and `path`, or bare bytes.

    Args:
        cells: One per image; where `bytes` is None, `path` is a file, relative to `home`.
        labels: int64, shape (n,).
        where: What to call the table in an error.
        home: Folder of the table.
        groups: Name of the group of each; None: not asked for.

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
    return EncodedImages(items, labels, names, groups=groups)


class _Table(NamedTuple):
    """Columns of a part as they were read.

    Attributes:
        cells: Images, one a row.
        labels: See `read_labels`.
        names: Names of classes where the schema has them.
        where: What to call the table in an error.
        home: Folder of the table.
        groups: Name of the group of each row; None: not asked for.
    """

    cells: list[Any]
    labels: np.ndarray
    names: Sequence[str] | None
    where: str
    home: Path
    groups: np.ndarray | None


def _read_part(files: list[Path], root: Path, options: ReadOptions, part: str) -> _Table:
    arrow, parquet = require("pyarrow", "data"), require("pyarrow.parquet", "data")
    cells: list[Any] = []
    labels: list[np.ndarray] = []
    groups: list[np.ndarray] = []
    names: Sequence[str] | None = None
    for file in files:
        where = f"'{file.name}'"
        try:
            schema = parquet.read_schema(file)
            image = pick_column(schema.names, IMAGE_COLUMNS, where, options.image_column, "--image-column")
            if part == "train" or names_column(schema.names, LABEL_COLUMNS, options.label_column):
                label = pick_column(schema.names, LABEL_COLUMNS, where, options.label_column, "--label-column")
            else:
                label = None  # kept secret
            group = None if options.group is None else pick_column(schema.names, (), where, options.group, "--group")
            wanted = [column for column in (image, label, group) if column is not None]
            table = parquet.read_table(file, columns=wanted, partitioning=None)
        except (OSError, arrow.ArrowException) as error:
            raise DataError(
                f"Cannot read '{file}' as parquet ({' '.join(str(error).split())}): download or write it again"
            ) from error
        cells.extend(_cells(table[image]))
        if group is not None:
            groups.append(group_column(table[group].to_pylist(), group, where))
        if label is None or (part != "train" and table[label].null_count == table.num_rows > 0):
            labels.append(np.full(table.num_rows, UNKNOWN))
            continue
        if table[label].null_count:
            raise DataError(
                f"Expected a label in every row of {where}, {table[label].null_count} are null: drop those rows"
            )
        values = np.array(table[label].to_pylist()) if table.num_rows else np.zeros(0, dtype=np.int64)
        labels.append(read_labels(values, f"column '{label}' of {where}"))
        names = names or _class_names(schema.metadata or {}, label)
    where = str(files[0].relative_to(root))  # names of files alone stand in several parts
    if len(files) > 1:
        where += f" and its {len(files) - 1} successors"
    joined = np.concatenate(groups) if groups else None
    return _Table(cells, np.concatenate(labels), names, where, files[0].parent, joined)


def _cells(column: Any) -> Sequence[Any]:
    """Return the column as Python objects; the bytes alone where no row lacks them, as that is quicker."""
    types, compute = require("pyarrow.types", "data"), require("pyarrow.compute", "data")
    if types.is_struct(column.type) and "bytes" in [field.name for field in column.type]:
        content = compute.struct_field(column, "bytes")
        return list((content if content.null_count == 0 else column).to_pylist())
    if types.is_struct(column.type) and "path" in [field.name for field in column.type]:
        return list(column.to_pylist())
    if types.is_binary(column.type) or types.is_large_binary(column.type) or types.is_binary_view(column.type):
        return list(column.to_pylist())
    if types.is_string(column.type) or types.is_large_string(column.type):
        return [{"bytes": None, "path": path} for path in column.to_pylist()]
    raise DataError(
        f"Expected the images as a struct of bytes and path, as bytes, or as paths, got {column.type}: "
        "write encoded image files"
    )


def _class_names(metadata: Mapping[bytes, bytes], label: str) -> Sequence[str] | None:
    try:
        names = json.loads(metadata[b"huggingface"])["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return names if isinstance(names, list) else None
