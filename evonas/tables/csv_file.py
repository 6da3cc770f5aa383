"""CSV files, plain or gzip, as columns of text or numbers."""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evonas.errors import DataError

__all__ = ["one_line", "read_csv", "to_numbers"]


def read_csv(path: str | os.PathLike[str]) -> dict[str, list[str]]:
    """Read a CSV file, plain or gzip, as columns of text.

    Raises:
        DataError: The file is missing, unreadable, empty, ragged, or names a column twice.
    """
    path = Path(path)
    (_, header), *rows = _read_rows(path)
    header = [" ".join(name.split()) for name in header]
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise DataError(f"Column '{twice}' stands more than once in {path.name}: rename one.")
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(f"{path.name}, line {line}: expected {len(header)} cells, got {len(row)}.")
    return {name: [row[i] for _, row in rows] for i, name in enumerate(header)}


def _read_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows of a CSV file that are not empty, two or more, each with the number of its last line."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"No table at {path}: give the path of a CSV file, plain or gzip.") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"Expected a CSV file in UTF-8, plain or gzip, at {path}: {one_line(error)}.") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"{path.name}, line {reader.line_num}, is no CSV: {error}.") from error
    if len(rows) < 2:
        raise DataError(f"Expected a header and at least one row in {path.name}, got {len(rows)} lines.")
    return rows


def to_numbers(cells: Sequence[str]) -> np.ndarray | None:
    """Return the cells as float64, NaN where empty, or None where one of them is no number."""
    stripped = [cell.strip() for cell in cells]
    # float() reads "1_2" as 12: an identifier, not a number.
    if any("_" in cell for cell in stripped):
        return None
    try:
        return np.array([float(cell) if cell else np.nan for cell in stripped], dtype=np.float64)
    except ValueError:
        return None


def one_line(message: object) -> str:
    """Return a message without line breaks, or the name of its type where it is empty."""
    return " ".join(str(message).split()) or type(message).__name__
