"""Files of architecture weights that a differentiable search in LHD has found."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from evonas.errors import DataError
from evonas.spaces import CellWeights

__all__ = ["FoundWeights", "read_lhd_weights"]

SHAPES = {"normal_ops": (20, 7), "reduce_ops": (20, 7), "out3": (2, 5), "out4": (2, 5)}
"""Arrays of one search: weights of the pairs of either cell, of the normal and of the reduction cell's outputs."""
NAMES = "source_file"


class FoundWeights(NamedTuple):
    """Weights that one search has found."""

    name: str
    """Of its file, or its number."""
    normal: CellWeights
    reduce: CellWeights


def read_lhd_weights(path: str | Path) -> list[FoundWeights]:
    """Return the architecture weights in a NumPy archive, search by search.

    Args:
        path: Arrays ``normal_ops`` and ``reduce_ops`` of shape ``(20, 7)``, rows by node and source read, and ``out3``
            and ``out4`` of shape ``(2, 5)``, sum and concatenation; or of n searches, with n before these, and the
            names of theirs as ``source_file``. Weights are probabilities, as in the published files: after softmax
            or gate.

    Raises:
        DataError: The file cannot be read, or arrays are missing, of other shapes or not finite.
    """
    path = Path(path)
    try:
        # NumPy leaves a file that it opened itself open where its zip directory is torn.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files if key in (*SHAPES, NAMES)}
    except (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"Cannot read '{path}' as a NumPy archive ({' '.join(str(error).split())[:120]}): the published files are "
            "pickles, which can execute code; write their arrays with numpy.savez"
        ) from None
    missing = [key for key in SHAPES if key not in arrays]
    if missing:
        raise DataError(f"Expected arrays {', '.join(SHAPES)} in {path}, got none named {', '.join(missing)}")
    alone = arrays["normal_ops"].ndim == 2
    found = {key: arrays[key][None] if alone else arrays[key] for key in SHAPES}
    searches = len(found["normal_ops"])
    for key, shape in SHAPES.items():
        values = found[key]
        if values.shape != (searches, *shape) or values.dtype.kind != "f" or not np.isfinite(values).all():
            raise DataError(
                f"Expected finite weights {key} of shape {shape}, or one such array for each of {searches} searches, "
                f"in {path}, got {values.dtype} of shape {arrays[key].shape}"
            )
    names = [str(name) for name in np.atleast_1d(arrays.get(NAMES, np.arange(searches)))]
    if len(names) != searches:
        raise DataError(f"Expected a name for each of {searches} searches in {path}, got {len(names)}")
    return [
        FoundWeights(
            name,
            CellWeights(found["normal_ops"][i], found["out3"][i]),
            CellWeights(found["reduce_ops"][i], found["out4"][i]),
        )
        for i, name in enumerate(names)
    ]
