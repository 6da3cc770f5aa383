"""Loading of tables: one file, or several joined into one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evonas.errors import DataError, SettingsError
from evonas.tables.architectures import candidate_columns, find_architectures
from evonas.tables.csv_file import read_csv, to_numbers
from evonas.tables.curves import is_archive, read_curves
from evonas.tables.join import join_tables
from evonas.tables.known import find_table
from evonas.tables.table import INDEX, Table, refuse_duplicates

if TYPE_CHECKING:
    from evonas.spaces import Space

__all__ = ["load_table"]


def load_table(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], space: Space | str | None = None
) -> Table:
    """Read one file, or several joined into one table.

    Args:
        paths: A file or a name in the folder ``EVONAS_DATA``, or several of them; each CSV, plain or gzip, or `.npz` as
            `evonas.tables.curves.read_curves` takes it (recognized by its first bytes, not by its name).
        space: The space whose architectures the rows are, or its name; None reads numbers only.

    Returns:
        The rows that all files have, in the order of the first; columns of the first file come first.

    Raises:
        DataError: A file is missing or malformed, holds neither architectures nor an `index`, repeats a row,
            shares no row with the files before it, or contradicts them in a column of the same name.
    """
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    if not paths:
        raise SettingsError("Expected at least one table, got none.")
    if isinstance(space, str):
        from evonas.spaces import load_space

        space = load_space(space)
    first, *others = [_load(find_table(path), space) for path in paths]
    for other in others:
        first = join_tables(first, other)
    return first


def _load(path: Path, space: Space | None) -> Table:
    if is_archive(path):
        return _load_archive(path, space)
    cells = read_csv(path)
    names: tuple[str, ...] = ()
    texts = None
    if space is not None:
        try:
            names, texts = find_architectures(cells, space, source=path.name)
        except DataError:
            if INDEX not in cells or candidate_columns(cells):
                raise
        else:
            refuse_duplicates(texts, path.name, "architecture")
    columns, labels = {}, {}
    for name, values in cells.items():
        if name in names:
            continue
        numbers = to_numbers(values)
        if numbers is None:
            labels[name] = values
        else:
            columns[name] = numbers
    return Table(columns, labels=labels, texts=texts, space=space, source=path.name)


def _load_archive(path: Path, space: Space | None) -> Table:
    labels, columns = read_curves(path)
    texts = None
    if space is not None:
        names, texts = find_architectures(labels, space, source=path.name)
        refuse_duplicates(texts, path.name, "architecture")
        labels = {name: values for name, values in labels.items() if name not in names}
    return Table(columns, labels=labels, texts=texts, space=space, source=path.name)
