"""What a person may say of data that their names and shapes leave open."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PLAIN", "ReadOptions"]


@dataclass(frozen=True)
class ReadOptions:
    """Options of how data are to be read where they do not say it themselves.

    Attributes:
        layout: ``NHWC``, ``NCHW`` or ``NHW``, of the arrays of an `.npz` file.
        image_column: Column of images in parquet files or in a data set of the hub.
        label_column: Column of labels there.
    """

    layout: str | None = None
    image_column: str | None = None
    label_column: str | None = None


PLAIN = ReadOptions()
"""Nothing said: names and shapes decide."""
