"""Data sets as uint8 tensors: reading, splitting, resizing, augmenting.

`load_data` turns a source (embedded digits, an `.npz` file, a folder of parquet files or of images, a name
on the Hugging Face hub, an entry point of another package) into a `Dataset`: the parts `train`, `search` and
`report` (validation images that a search selects on, and those held out for its report), and `test`, which is
decoded when first asked for. Parts are read with `batches`, changed by an `Augment` and turned to floats by
`Dataset.normalize`, in this order::

    data = load_data("digits", seed=0)
    for images, labels in batches(data.train, 128, generator, drop_last=True):
        logits = network(data.normalize(data.augment(images, generator)))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.files.lazy import lazy_names

if TYPE_CHECKING:
    from evonas.data.arrays import from_arrays
    from evonas.data.augment import Augment
    from evonas.data.dataset import Dataset
    from evonas.data.load import load_data
    from evonas.data.part import Part, batches, count_batches

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "arrays": ("from_arrays",),
        "augment": ("Augment",),
        "dataset": ("Dataset",),
        "load": ("load_data",),
        "part": (
            "Part",
            "batches",
            "count_batches",
        ),
    },
)

__all__ = [
    "Augment",
    "Dataset",
    "Part",
    "batches",
    "count_batches",
    "from_arrays",
    "load_data",
]
