"""Results of a benchmark on disk: JSON, with a CSV and a PNG beside it, each written whole."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evonas.errors import SettingsError
from evonas.files.csv import to_csv
from evonas.files.whole import write_whole


def write_results(
    path: str | os.PathLike[str],
    results: Any,
    rows: Sequence[Mapping[str, Any]],
    *,
    figure: Callable[[], bytes] | None = None,
) -> list[Path]:
    """Write ``NAME.json``, ``NAME.csv`` and, where there is a figure, ``NAME.png``.

    Args:
        path: The JSON file; the others lie beside it.
        results: What goes into the JSON; NaN and infinities become null.
        rows: The CSV's rows; the columns are those of the first row. A text that a spreadsheet would run as a
            formula is made inert with a leading apostrophe.
        figure: Returns the PNG's bytes; called last, so that a missing drawing library costs no numbers.

    Returns:
        The files written.

    Raises:
        SettingsError: `path` does not end in ``.json``.
        MissingExtraError: From `figure`, after JSON and CSV were written.
    """
    path = Path(path)
    if path.suffix.lower() != ".json":
        raise SettingsError(f"Expected an output file that ends in .json, got '{path}'.")
    written = [write_json(path, results)]
    files: list[tuple[str, Callable[[], str | bytes]]] = [(".csv", lambda: to_csv(_lines(rows)))]
    if figure is not None:
        files.append((".png", figure))
    for suffix, content in files:
        written.append(path.with_suffix(suffix))
        write_whole(written[-1], content())
    return written


def write_rows(path: str | os.PathLike[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a CSV file whole; the columns are those of the first row.

    Raises:
        SettingsError: `path` does not end in ``.csv``.
    """
    if Path(path).suffix.lower() != ".csv":
        raise SettingsError(f"Expected a file that ends in .csv, got '{path}'.")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_whole(Path(path), to_csv(_lines(rows)))


def _lines(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(rows[0]), *(tuple(plain(row[name]) for name in rows[0]) for row in rows)] if rows else []


def write_json(path: str | os.PathLike[str], results: Any) -> Path:
    """Write a JSON file whole; NaN and infinities become null."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain(results), indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(path, text + "\n")
    return path


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: numpy unpacked, NaN and infinities None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
