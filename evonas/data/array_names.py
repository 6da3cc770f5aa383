"""Names of arrays: which ones hold images, which labels, and of which part."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from evonas.data.part_names import part_of_name
from evonas.errors import DataError

__all__ = ["NAMES", "part_arrays"]

KINDS = {
    "labels": ("y", "labels", "label", "targets", "target"),
    "images": ("x", "images", "image", "imgs", "img", "data", "pixels"),
}
"""Words in the names of arrays; `image_labels` are labels."""
_PART = r"(tr(?:ain)?|te(?:st)?|va(?:l|lid)?|dev)"
_SHORT = re.compile(rf"([xy])_?{_PART}|{_PART}_?([xy])")
"""Short names: ``xtrain``, ``Xtr``, ``teY``."""
_PARTS = {"tr": "train", "te": "test", "va": "validation", "de": "validation"}
NAMES = ("class_names", "classes", "label_names", "names")
"""Arrays that may hold the names of classes."""


def part_arrays(arrays: Mapping[str, np.ndarray], name: str) -> dict[str, tuple[str, str]]:
    """Return the names of the images and labels of each part.

    Raises:
        DataError: There are none for training, some have no counterpart, or several could be meant.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for key in arrays:
        kind, part = _meaning(key)
        if kind is not None and part is not None and key not in NAMES and key != "target_names":
            found.setdefault(part, {}).setdefault(kind, []).append(key)
    pairs = {
        part: (_one(arrays, keys["images"], part, name), _one(arrays, keys["labels"], part, name))
        for part, keys in found.items()
        if len(keys) == 2
    }
    if not pairs and (alone := _two_arrays(arrays)):
        return {"train": alone}
    if "train" not in pairs:
        held = ", ".join(sorted(arrays)) or "nothing"
        raise DataError(
            f"Expected the arrays x_train and y_train in '{name}', perhaps x_val, y_val, x_test and y_test, "
            f"or images and labels; it holds {held}"
        )
    if lonely := [key for part, kinds in found.items() if part not in pairs for keys in kinds.values() for key in keys]:
        raise DataError(f"Expected images and labels of each part of '{name}', got {', '.join(sorted(lonely))} alone")
    return pairs


def _meaning(key: str) -> tuple[str | None, str | None]:
    """Return whether an array holds images or labels, and of which part, by its name; None: it does not say."""
    if short := _SHORT.fullmatch(key.lower()):
        before, first, second, after = short.groups()
        return ("images" if "x" in (before, after) else "labels"), _PARTS[(first or second)[:2]]
    words = re.findall(r"[a-z]+", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", key).lower())
    kind = next((kind for kind, names in KINDS.items() if set(words) & set(names)), None)
    return kind, part_of_name(key) or ("train" if len(words) == 1 else None)


def _one(arrays: Mapping[str, np.ndarray], keys: Sequence[str], part: str, name: str) -> str:
    """Return the first of several names; refuse others of as many rows that could be meant as well."""
    first = np.asarray(arrays[keys[0]])
    alike = [key for key in keys if np.asarray(arrays[key]).shape[:1] == first.shape[:1]]
    if len(alike) > 1:
        raise DataError(
            f"Expected one array where '{name}' has {', '.join(alike)} of the {part} part: keep one of them"
        )
    return keys[0]


def _two_arrays(arrays: Mapping[str, np.ndarray]) -> tuple[str, str] | None:
    """Return the names of images and labels where these are all there is, and their shapes say which is which."""
    axes = {key: np.asarray(value).ndim for key, value in arrays.items() if key not in NAMES}
    images, labels = [key for key, n in axes.items() if n in (3, 4)], [key for key, n in axes.items() if n in (1, 2)]
    if len(axes) != 2 or len(images) != 1 or len(labels) != 1 or len(arrays[images[0]]) != len(arrays[labels[0]]):
        return None
    return images[0], labels[0]
