"""Options of reading data, which their names and shapes leave open."""

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
        max_skipped: Share of all images that may be left out as unreadable, in [0, 1].
        min_images: Training images that a class has at least.
        rare: What happens to a class with fewer: ``stop``, ``drop`` or ``keep``.
        class_weights: How classes weigh in losses: ``none``, alike, or ``balanced``, by the inverse of their share.
        group: Column that says which images belong together (patient, speaker), of parquet files, an archive or a CSV
            beside a folder: no split puts a group into two parts.
        fold: Of a folder of folds the one that is the test part, by its name or number.
        task: Name of another package's task that the targets are for; None: ``classification`` or ``regression``, by
            what the targets are.
        flip: Whether images are mirrored in training; None: where they are photos, in color and no digits.
        fit: How images that are no squares become such: ``crop`` to the center, ``pad`` with black bars or ``stretch``.
        lazy: Whether images are decoded when a batch of them is read, for data larger than memory; values are the same.
    """

    layout: str | None = None
    image_column: str | None = None
    label_column: str | None = None
    max_skipped: float = 0.02
    min_images: int = 5
    rare: str = "stop"
    class_weights: str = "none"
    group: str | None = None
    fold: str | None = None
    task: str | None = None
    lazy: bool = False
    fit: str = "crop"
    flip: bool | None = None


PLAIN = ReadOptions()
"""Nothing said: names and shapes decide."""
