"""Tables: measured truth in CSV files, plain or gzip, or in `.npz` files of curves, looked up by architecture.

    table = load_table(["nasbench201.csv.gz", "nasbench201_latency.csv.gz"], space="nasbench201")
    table["c10_test_200"]                 # float64, one value per row, NaN where the cell is empty
    table.index(architecture)             # the row of an architecture

The architecture is the first of the columns `architecture`, `arch`, `genotype`, `nb201_arch` whose values
the space parses, always read as text (codes keep their leading zeros), else the three columns `ks`, `e`, `d`
of once-for-all networks. Several tables become one by an inner join: on the architecture as written where
both have one, else on `index`. A lookup never guesses: an architecture is in the table, or it is an error.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from evonas.errors import DataError, EvonasError, SettingsError, SpaceError, suggest
from evonas.tables.curves import is_archive, read_curves

if TYPE_CHECKING:
    from evonas.spaces import Architecture, Space

__all__ = ["Table", "column_direction", "find_architectures", "load_table", "read_csv"]

ARCHITECTURE_COLUMNS = ("architecture", "arch", "genotype", "nb201_arch")
ELASTIC_COLUMNS = ("ks", "e", "d")
INDEX = "index"

_HIGHER = re.compile(r"(acc|accuracy|top)\d*|precision|recall|auc|m?iou|psnr")
_LOWER = re.compile(r"flops?|macs?|madds|params?|parameters|latency|ms|us|time|energy|mj|memory|bytes|size")
_ERROR = re.compile(r"err|error|loss")  # goes before the others: "top1_error"
_SPREAD = re.compile(r"std|sd|var|mad|se")  # the spread of an accuracy is no accuracy


class Table:
    """Measured values of architectures, one row each.

    Attributes:
        columns: Name -> float64 array of shape (n,), NaN where nothing was measured; read-only.
        labels: Name -> texts of the columns that are not numbers, the architecture's own left out.
        texts: Architectures as the file writes them, or None where the table has only an `index`.
        space: The space that parses `texts`, or None.
        source: Names of the files, for messages.
    """

    def __init__(
        self,
        columns: Mapping[str, np.ndarray],
        *,
        labels: Mapping[str, Sequence[str]] | None = None,
        texts: Sequence[str] | None = None,
        space: Space | None = None,
        source: str = "table",
    ) -> None:
        frozen = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
        for values in frozen.values():
            values.flags.writeable = False
        self.columns: Mapping[str, np.ndarray] = MappingProxyType(frozen)
        self.labels: Mapping[str, tuple[str, ...]] = MappingProxyType(
            {name: tuple(values) for name, values in (labels or {}).items()}
        )
        self.texts = None if texts is None else tuple(texts)
        self.space = space
        self.source = source
        lengths = {len(values) for values in self.columns.values()}
        lengths |= {len(values) for values in self.labels.values()}
        lengths |= set() if self.texts is None else {len(self.texts)}
        if len(lengths) != 1:
            raise DataError(f"{source}: expected columns of one length, got lengths {sorted(lengths)}.")
        self._rows = lengths.pop()

    def __len__(self) -> int:
        return self._rows

    def __repr__(self) -> str:
        return f"<Table {self.source}: {len(self)} rows, columns {', '.join(self.columns)}>"

    def __contains__(self, column: object) -> bool:
        return column in self.columns

    def __getitem__(self, column: str) -> np.ndarray:
        """Return a column, shape (n,), float64.

        Raises:
            SettingsError: There is no such column, or it holds text.
        """
        if column in self.columns:
            return self.columns[column]
        if column in self.labels:
            values = self.labels[column]
            row, cell = next((row, cell) for row, cell in enumerate(values, 1) if _numbers([cell]) is None)
            raise SettingsError(
                f"Expected numbers in column '{column}' of {self.source}, got {cell[:40]!r} in row {row}: "
                f"the numeric columns are {', '.join(self.columns)}."
            )
        raise SettingsError(
            f"No column '{column}' in {self.source}: it has {', '.join(self.columns)}.{suggest(column, self.columns)}"
        )

    @cached_property
    def architectures(self) -> tuple[Architecture, ...]:
        """The architecture of every row, as written; parsed when first asked for.

        Raises:
            DataError: The table has no architectures, or a row does not parse (the row is named).
        """
        if self.texts is None or self.space is None:
            raise DataError(
                f"{self.source} has no architectures: load it with its space, or joined on '{INDEX}' with a "
                f"table that has a column {', '.join(ARCHITECTURE_COLUMNS)} or {', '.join(ELASTIC_COLUMNS)}."
            )
        parsed = []
        for row, text in enumerate(self.texts, start=1):
            try:
                parsed.append(self.space.parse(text))
            except SpaceError as error:
                raise DataError(
                    f"Row {row} of {self.source} is no architecture of {self.space.name}: {error}"
                ) from error
        return tuple(parsed)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """``str`` of every architecture as written, unique.

        Raises:
            DataError: Two rows hold the same architecture (both are named).
        """
        keys = tuple(str(architecture) for architecture in self.architectures)
        _refuse_duplicates(keys, self.source, "architecture")
        return keys

    @cached_property
    def _written(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.keys)}

    @cached_property
    def _canonical(self) -> dict[str, list[int]]:
        assert self.space is not None
        rows: dict[str, list[int]] = {}
        for row, architecture in enumerate(self.architectures):
            rows.setdefault(str(self.space.canonical(architecture)), []).append(row)
        return rows

    def index(self, architecture: Architecture | str) -> int:
        """Return the row of an architecture: as written, else the only row with the same canonical form.

        Args:
            architecture: An architecture of the table's space, or a text of one.

        Raises:
            DataError: No row holds it, or several rows share its canonical form and none is it as written.
            SpaceError: The text does not parse.
        """
        written = self._written  # says so where the table has no architectures
        assert self.space is not None
        if isinstance(architecture, str):
            architecture = self.space.parse(architecture)
        row = written.get(str(architecture))
        if row is not None:
            return row
        rows = self._canonical.get(str(self.space.canonical(architecture)), [])
        if len(rows) == 1:
            return rows[0]
        if not rows:
            raise DataError(f"{self.source} has no row for the architecture {architecture}.")
        raise DataError(
            f"{self.source} holds {len(rows)} rows (the first two: {rows[0] + 1}, {rows[1] + 1}) that equal "
            f"{architecture} in canonical form, none as written: ask for one of them as written."
        )

    def select(self, rows: Sequence[int] | np.ndarray) -> Table:
        """Return the table of these rows (integers from 0, in this order)."""
        rows = np.asarray(rows, dtype=np.intp)
        return Table(
            {name: values[rows] for name, values in self.columns.items()},
            labels={name: [values[row] for row in rows] for name, values in self.labels.items()},
            texts=None if self.texts is None else [self.texts[row] for row in rows],
            space=self.space,
            source=self.source,
        )


def load_table(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], space: Space | str | None = None
) -> Table:
    """Read one file, or several joined into one table.

    Args:
        paths: A file, or several; each CSV, plain or gzip, or `.npz` as `evonas.tables.curves.read_curves` takes it
            (told by its first bytes, not by its name).
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
    first, *others = [_load(Path(path), space) for path in paths]
    for other in others:
        first = _join(first, other)
    return first


def read_csv(path: str | os.PathLike[str]) -> dict[str, list[str]]:
    """Read a CSV file, plain or gzip, as columns of text.

    Raises:
        DataError: The file is missing, unreadable, empty, ragged, or names a column twice.
    """
    path = Path(path)
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"No table at {path}: give the path of a CSV file, plain or gzip.") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"Expected a CSV file in UTF-8, plain or gzip, at {path}: {_line(error)}.") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"{path.name}, line {reader.line_num}, is no CSV: {error}.") from error
    if len(rows) < 2:
        raise DataError(f"Expected a header and at least one row in {path.name}, got {len(rows)} lines.")
    (_, header), *rows = rows
    header = [" ".join(name.split()) for name in header]
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise DataError(f"Column '{twice}' stands more than once in {path.name}: rename one.")
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(f"{path.name}, line {line}: expected {len(header)} cells, got {len(row)}.")
    return {name: [row[i] for _, row in rows] for i, name in enumerate(header)}


def find_architectures(
    columns: Mapping[str, Sequence[str]], space: Space, *, source: str = "the table"
) -> tuple[tuple[str, ...], list[str]]:
    """Find the columns that hold the architecture.

    Args:
        columns: Columns of text, as `read_csv` returns them.
        space: The space that parses the texts; the first, the middle and the last row decide.
        source: Name for messages.

    Returns:
        Names of the columns, and one text per row for `space.parse`.

    Raises:
        DataError: No column parses; the message says which were tried and why they failed.
    """
    causes = []
    for names in _candidates(columns):
        texts = _elastic_texts(columns) if names == ELASTIC_COLUMNS else list(columns[names[0]])
        try:
            for row in {0, len(texts) // 2, len(texts) - 1}:
                space.parse(texts[row])
        except EvonasError as error:
            causes.append(f"'{', '.join(names)}': {error}")
            continue
        return names, texts
    if causes:
        raise DataError(f"No column of {source} holds architectures of {space.name}; {'; '.join(causes)}")
    raise DataError(
        f"No architecture in {source}: expected one of the columns {', '.join(ARCHITECTURE_COLUMNS)} or "
        f"{', '.join(ELASTIC_COLUMNS)} together, got {', '.join(columns)}."
    )


def column_direction(text: str) -> tuple[str, str]:
    """Split ``NAME:max`` or ``NAME:min``, or know the direction by the column's name.

    Returns:
        The name, and "max" or "min".

    Raises:
        SettingsError: The direction is neither given nor known by the name, or it is misspelt.
    """
    name, colon, direction = text.strip().rpartition(":")
    if colon:
        if direction not in ("max", "min") or not name:
            raise SettingsError(f"Expected NAME:max or NAME:min, got '{text}'.")
        return name, direction
    words = re.split(r"[^a-z0-9]+", text.strip().lower())
    higher, lower, error, spread = (
        any(rule.fullmatch(word) for word in words) for rule in (_HIGHER, _LOWER, _ERROR, _SPREAD)
    )
    if spread or not (error or higher != lower):
        raise SettingsError(f"Is '{text}' better high or low? Say it: {text}:max or {text}:min.")
    return text.strip(), "max" if higher and not error else "min"


def _load(path: Path, space: Space | None) -> Table:
    if is_archive(path):
        return _load_archive(path, space)
    cells = read_csv(path)
    names: tuple[str, ...] = ()
    texts = None
    if space is not None and (INDEX not in cells or _candidates(cells)):
        names, texts = find_architectures(cells, space, source=path.name)
        _refuse_duplicates(texts, path.name, "architecture")
    columns, labels = {}, {}
    for name, values in cells.items():
        if name in names:
            continue
        numbers = _numbers(values)
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
        _refuse_duplicates(texts, path.name, "architecture")
        labels = {name: values for name, values in labels.items() if name not in names}
    return Table(columns, labels=labels, texts=texts, space=space, source=path.name)


def _join(left: Table, right: Table) -> Table:
    source = f"{left.source} + {right.source}"
    if left.texts is not None and right.texts is not None:
        on, keys = "architecture", (left.keys, right.keys)
    elif INDEX in left and INDEX in right:
        on, keys = INDEX, (left[INDEX].tolist(), right[INDEX].tolist())
        _refuse_duplicates(keys[0], left.source, INDEX)
        _refuse_duplicates(keys[1], right.source, INDEX)
    else:
        raise DataError(
            f"Cannot join {left.source} with {right.source}: expected an architecture in both, or an "
            f"'{INDEX}' column in both."
        )
    place = {key: row for row, key in enumerate(keys[1])}
    pairs = [(row, place[key]) for row, key in enumerate(keys[0]) if key in place]
    if not pairs:
        raise DataError(f"{left.source} and {right.source} share no {on}: are they tables of the same space?")
    a, b = left.select([row for row, _ in pairs]), right.select([row for _, row in pairs])
    for name in {*a.columns, *a.labels} & {*b.columns, *b.labels} - {INDEX}:
        same = name in a and name in b and np.array_equal(a[name], b[name], equal_nan=True)
        if not same and not (name in a.labels and a.labels[name] == b.labels.get(name)):
            raise DataError(
                f"Column '{name}' differs between {left.source} and {right.source}: rename it in one of them."
            )
    return Table(
        {**a.columns, **{name: values for name, values in b.columns.items() if name not in a}},
        labels={**b.labels, **a.labels},
        texts=a.texts if a.texts is not None else b.texts,
        space=left.space,
        source=source,
    )


def _numbers(cells: Sequence[str]) -> np.ndarray | None:
    """Return the cells as float64, NaN where empty, or None where one of them is no number."""
    stripped = [cell.strip() for cell in cells]
    # float() reads "1_2" as 12: an identifier, not a number.
    if any("_" in cell for cell in stripped):
        return None
    try:
        return np.array([float(cell) if cell else np.nan for cell in stripped], dtype=np.float64)
    except ValueError:
        return None


def _candidates(columns: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    candidates = [*((name,) for name in ARCHITECTURE_COLUMNS), ELASTIC_COLUMNS]
    return [names for names in candidates if all(name in columns for name in names)]


def _elastic_texts(columns: Mapping[str, Sequence[str]]) -> list[str]:
    texts = []
    for cells in zip(*(columns[name] for name in ELASTIC_COLUMNS), strict=True):
        lists = [re.sub(r"[\[\],;]", " ", cell).split() for cell in cells]
        if not all(part.isdecimal() for parts in lists for part in parts):
            texts.append(" / ".join(cells))  # the space refuses it, and names it
            continue
        numbers = ([int(part) for part in parts] for parts in lists)
        texts.append(json.dumps(dict(zip(ELASTIC_COLUMNS, numbers, strict=True))))
    return texts


def _refuse_duplicates(keys: Sequence[object], source: str, what: str) -> None:
    seen: dict[object, int] = {}
    for row, key in enumerate(keys):
        if key in seen:
            raise DataError(f"Rows {seen[key] + 1} and {row + 1} of {source} hold one {what}, {_line(key)}: keep one.")
        seen[key] = row


def _line(message: object) -> str:
    return " ".join(str(message).split()) or type(message).__name__
