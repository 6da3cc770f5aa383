"""Fingerprint of a data set: what its images hold, and every setting by which they are read and split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from evonas.data.read_options import ReadOptions
from evonas.data.source import Source

__all__ = ["data_fingerprint"]

FORMAT = 1
"""Raised when the same files would give other parts."""


def data_fingerprint(
    source: Source,
    contents: Sequence[tuple[np.ndarray, np.ndarray]],
    options: ReadOptions,
    statistics: Sequence[Sequence[float]] | None,
    **settings: Any,
) -> str:
    """Return the SHA-256 of data and of how they are read, in hexadecimal.

    What was not asked for is left out, so that a new option leaves the fingerprints of older runs as they were.

    Args:
        source: Names of the classes or targets, scale and task.
        contents: Of each part the digests of its images, uint8 of shape (n, 16), and their labels or targets.
        options: What the data leave open of how they are to be read.
        statistics: Mean and deviation that were asked for; None: those of the train part.
        **settings: Channels, resolution, and the settings of the split.
    """
    kept: dict[str, Any] = {"format": FORMAT, "classes": source.classes, "scale": source.scale, **settings}
    asked = {
        "statistics": statistics,
        "task": None if source.task == "classification" else source.task,
        "fit": None if options.fit == "crop" else options.fit,
        "group": options.group,
        "class weights": options.class_weights if _weighs(source, options) else None,
    }
    kept |= {name: value for name, value in asked.items() if value is not None}
    fingerprint = hashlib.sha256(json.dumps(kept, sort_keys=True).encode())
    for digest, labels in contents:
        fingerprint.update(np.ascontiguousarray(digest).tobytes())
        fingerprint.update(labels.astype("<f4" if labels.dtype.kind == "f" else "<i8").tobytes())
    return fingerprint.hexdigest()


def _weighs(source: Source, options: ReadOptions) -> bool:
    return options.class_weights == "balanced" and source.task == "classification"
