from __future__ import annotations

import numpy as np
import pytest

from evonas.data.arrays import ArrayImages
from evonas.data.source import Source, check_source
from evonas.errors import DataError


def images(*labels: int) -> ArrayImages:
    return ArrayImages(np.zeros((len(labels), 1, 2, 2), dtype=np.uint8), np.array(labels, dtype=np.int64))


def test_good_source_passes():
    check_source(Source("d", ("a", "b"), images(0, 1), images(1)))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source("d", ("a", "b"), images()), "Data 'd' has no training images"),
        (Source("d", ("a", "b"), images(0, 1), images()), "Data 'd' has no test images"),
        (
            Source("d", ("a", "b"), images(1, 2)),
            r"labels 0..1 for the 2 classes of 'd', its training labels are 1, 2:",
        ),
        (Source("d", ("a", "b"), images(0, 1), images(-1)), "its test labels are -1: renumber them from 0"),
        (
            Source("d", ("a",), images(0, 0)),
            r"Data 'd' has one class only \('a'\): a classifier needs at least two",
        ),
        (
            Source("d", ("a", "b", "c"), images(0, 2)),
            "without gaps, but 'd' has no training image of label 1:",
        ),
        (Source("d", ("a",), images(*range(12))), r"are 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … \(12 in all\)"),
    ],
)
def test_bad_sources(source, message):
    with pytest.raises(DataError, match=message):
        check_source(source)
