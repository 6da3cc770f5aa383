from __future__ import annotations

import numpy as np
import pytest

from evonas.data.arrays import from_arrays
from evonas.data.rare import treat_rare
from evonas.data.read_options import ReadOptions
from evonas.errors import DataError


def source_of(*counts: int, test: bool = True):
    labels = np.repeat(np.arange(len(counts)), counts)
    pixels = np.random.default_rng(0).integers(0, 256, (len(labels), 4, 4, 3), dtype=np.uint8)
    arrays = {"x_train": pixels, "y_train": labels}
    if test:
        arrays |= {"x_test": pixels[:: len(labels) // 6], "y_test": labels[:: len(labels) // 6]}
    return from_arrays(arrays, "some")


def test_rare_classes_stop_and_are_all_named():
    message = r"^2 of 4 classes have fewer than 5 training images: '3' 3, '1' 4; leave them out by --rare drop, or keep"
    with pytest.raises(DataError, match=message):
        treat_rare(source_of(9, 4, 9, 3), ReadOptions())


def test_keeping_is_offered_only_where_it_works():
    with pytest.raises(DataError, match=r"--rare drop, or add images, 4 are the least that a split needs$"):
        treat_rare(source_of(9, 4, 9, 3, test=False), ReadOptions())


def test_dropped_classes_leave_all_parts_and_the_others_are_renumbered():
    before = source_of(9, 4, 9, 3)
    after = treat_rare(before, ReadOptions(rare="drop"))
    assert after.classes == ("0", "2")
    assert np.bincount(after.train.labels).tolist() == [9, 9]
    assert len(after.test.labels) == int(np.isin(before.test.labels, [0, 2]).sum())
    assert set(after.test.labels.tolist()) <= {0, 1}
    (note,) = after.notes
    assert note == "2 of 4 classes have fewer than 5 training images: '3' 3, '1' 4; left out"


@pytest.mark.parametrize("options", [ReadOptions(rare="keep"), ReadOptions(min_images=3), ReadOptions(min_images=100)])
def test_kept(options):
    """Where all classes are below the least, none is rarer than the others."""
    before = source_of(9, 4, 9, 3)
    assert treat_rare(before, options) is before


def test_one_class_alone_is_refused():
    with pytest.raises(DataError, match=r"'2' 4; without them 1 of the classes would be left: lower --min-images$"):
        treat_rare(source_of(9, 3, 4), ReadOptions(rare="drop"))
