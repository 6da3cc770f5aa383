"""Writing rows as CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["to_csv"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV; floats as `repr` has them, None as an empty cell.

    Args:
        rows: The first one is the heading. A text that a spreadsheet would compute gets an apostrophe before it,
            unless it is a number.
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _cell(cell: Any) -> Any:
    if isinstance(cell, str):
        return "'" + cell if cell.startswith(_FORMULA) and not _is_number(cell) else cell
    return "" if cell is None else repr(cell) if isinstance(cell, float) else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
