"""Learning curves in a NumPy archive: what a table measured after each epoch, one column per epoch."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from evonas.errors import DataError

__all__ = ["is_archive", "read_curves"]


def is_archive(path: Path) -> bool:
    """Return whether a file's first bytes are those of a ZIP, which an ``.npz`` is."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False  # reading it as a CSV reports what is wrong


def read_curves(path: Path) -> tuple[dict[str, list[str]], dict[str, np.ndarray]]:
    """Read an ``.npz`` file of arrays that have one row per architecture.

    An array of text, shape ``(n,)``, is a column of text; one of numbers, shape ``(n,)``, a column of its name; one of
    shape ``(n, epochs)`` a curve, whose value after epoch e becomes the column ``NAME:e``. n is the length of the
    first array of text; arrays of another length belong to other networks and are left out.

    Args:
        path: The file.

    Returns:
        Columns of text, and columns of numbers as float64.

    Raises:
        DataError: The file is unreadable, holds objects, or has no array of text or no numbers.
    """
    arrays = _read_arrays(path)
    texts = {name: values for name, values in arrays.items() if values.ndim == 1 and values.dtype.kind == "U"}
    if not texts:
        raise DataError(
            f"Expected an array of architectures as text, such as 'genotype', in {path.name}, got "
            f"{', '.join(arrays) or 'nothing'}."
        )
    rows = len(next(iter(texts.values())))
    numbers = _columns(arrays, rows)
    if not numbers:
        raise DataError(f"Expected numbers of {rows} architectures in {path.name}, got {', '.join(arrays)}.")
    return {name: values.tolist() for name, values in texts.items() if len(values) == rows}, numbers


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"Expected an .npz of numbers and texts at {path}: {' '.join(str(error).split())}.") from error
    return arrays


def _columns(arrays: dict[str, np.ndarray], rows: int) -> dict[str, np.ndarray]:
    """Return the columns of numbers that have so many rows, curves taken apart by epochs."""
    numbers: dict[str, np.ndarray] = {}
    for name, values in arrays.items():
        if values.dtype.kind not in "biuf" or values.ndim not in (1, 2) or len(values) != rows:
            continue
        if values.ndim == 1:
            numbers[name] = values.astype(np.float64)
        else:
            numbers |= {f"{name}:{epoch}": values[:, epoch - 1].astype(np.float64) for epoch in _epochs(values)}
    return numbers


def _epochs(curves: np.ndarray) -> range:
    return range(1, curves.shape[1] + 1)
