"""NumPy archives: one `.npz` file with images and labels of one part or several, and perhaps class names."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from evonas.data.arrays import from_arrays
from evonas.data.read_options import PLAIN, ReadOptions
from evonas.data.source import Source
from evonas.errors import DataError


def read_npz(source: str, options: ReadOptions = PLAIN) -> Source | None:
    """Return the data of an `.npz` file; None where `source` is no such file.

    Raises:
        DataError: The file cannot be read, or its arrays are not as `from_arrays` expects them.
    """
    path = Path(source)
    if path.suffix.lower() != ".npz" or not path.is_file():
        return None
    try:
        # NumPy leaves a file that it opened itself open where its zip directory is torn.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"Cannot read '{path}' as a NumPy archive ({' '.join(str(error).split())}): "
            f"write it again with numpy.savez, plain arrays only"
        ) from error
    return from_arrays(arrays, path.stem, options.layout, options.group)
