"""CSV files, plain or gzip, as columns of text or numbers."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evonas.errors import DataError

__all__ = ["one_line", "read_csv", "to_numbers"]


SEPARATORS = (",", ";", "\t")
"""What may stand between cells, in the order in which ties are decided."""
MISSING = frozenset({"", "-", "?", "na", "n/a", "n.a.", "#n/a", "nan", "null", "none", "nil", "missing", "<na>"})
"""Cells that say that a value is missing, whatever their case."""
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_csv(path: str | os.PathLike[str]) -> dict[str, list[str]]:
    """Read a CSV file, plain or gzip, as columns of text.

    Cells are separated by commas, semicolons or tabs, whichever fits; where it isn't commas, a decimal comma becomes a
    point.

    Raises:
        DataError: The file is missing, unreadable, empty, ragged, or names a column twice.
    """
    path = Path(path)
    separator, ((_, header), *rows) = _read_rows(path)
    header = [" ".join(name.split()) for name in header]
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise DataError(f"Column '{twice}' stands more than once in {path.name}: rename one.")
    for line, row in rows:
        if len(row) != len(header):
            raise DataError(f"{path.name}, line {line}: expected {len(header)} cells, got {len(row)}.")
    columns = {name: [row[i] for _, row in rows] for i, name in enumerate(header)}
    return columns if separator == "," else {name: _with_points(cells) for name, cells in columns.items()}


def _read_rows(path: Path) -> tuple[str, list[tuple[int, list[str]]]]:
    """Return the separator, and the rows that are not empty, two or more, each with the number of its last line."""
    text = _read_text(path)
    declared = re.match(r"sep=(.)\r?\n", text)  # Excel's way to name the separator
    found: list[tuple[str, list[tuple[int, list[str]]], DataError | None]] = []
    for separator in (declared[1],) if declared else SEPARATORS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        try:
            rows = [(reader.line_num, row) for row in reader if row][1 if declared else 0 :]
        except csv.Error as error:
            found.append((separator, [], DataError(f"{path.name}, line {reader.line_num}, is no CSV: {error}.")))
        else:
            found.append((separator, rows, None))
    separator, rows, failure = max(found, key=lambda one: _fit(one[1]))
    if failure is not None:
        raise failure
    if len(rows) < 2:
        raise DataError(f"Expected a header and at least one row in {path.name}, got {len(rows)} lines.")
    return separator, rows


def _fit(rows: list[tuple[int, list[str]]]) -> tuple[bool, int]:
    """Return how well rows are separated: whether all have the several cells of the header, and how many those are."""
    cells = len(rows[0][1]) if rows else 0
    return cells > 1 and all(len(row) == cells for _, row in rows), cells


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        return content.decode("utf-16" if content.startswith(_WIDE_MARKS) else "utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(
            f"No table at {path}: give the path of a CSV file, plain or gzip, or its name in the folder "
            "EVONAS_DATA; see  evonas list tables."
        ) from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"Expected a CSV file in UTF-8, plain or gzip, at {path}: {one_line(error)}.") from error


def _with_points(cells: list[str]) -> list[str]:
    """Return cells with a decimal point where all that hold a number with a fraction have a comma."""
    stripped = [cell.strip() for cell in cells]
    fractions = [cell for cell in stripped if not is_missing(cell) and not re.fullmatch(r"[-+]?\d+", cell)]
    if not fractions or not all(_DECIMAL_COMMA.fullmatch(cell) for cell in fractions):
        return cells
    return [cell.replace(",", ".") for cell in stripped]


def is_missing(cell: str) -> bool:
    """Return whether a cell says that its value is missing."""
    return cell.strip().lower() in MISSING


def to_numbers(cells: Sequence[str]) -> np.ndarray | None:
    """Return the cells as float64, NaN where a value is missing, or None where one of them is no number."""
    stripped = [cell.strip() for cell in cells]
    # float() reads "1_2" as 12: an identifier, not a number.
    if any("_" in cell for cell in stripped):
        return None
    try:
        return np.array([np.nan if is_missing(cell) else float(cell) for cell in stripped], dtype=np.float64)
    except ValueError:
        return None


def one_line(message: object) -> str:
    """Return a message without line breaks, or the name of its type where it is empty."""
    return " ".join(str(message).split()) or type(message).__name__
