from __future__ import annotations

import numpy as np
import pytest

from evonas.data.labels import number_labels, read_labels
from evonas.errors import DataError


@pytest.mark.parametrize(
    ("values", "numbers", "classes"),
    [
        ([0, 1, 2, 1], [0, 1, 2, 1], ("0", "1", "2")),
        ([1, 2, 3, 2], [0, 1, 2, 1], ("1", "2", "3")),
        ([-1, 1, 1, -1], [0, 1, 1, 0], ("-1", "1")),
        ([True, False, True], [1, 0, 1], ("0", "1")),
        ([[3], [4], [3]], [0, 1, 0], ("3", "4")),
        (["bee", "ant", "bee"], [1, 0, 1], ("ant", "bee")),
        ([b"bee", "émeu".encode()], [0, 1], ("bee", "émeu")),
        (np.array(["b", "a"], dtype=object), [1, 0], ("a", "b")),
        ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], [1, 0, 2], ("0", "1", "2")),
        ([[0.0, 1.0], [1.0, 0.0]], [1, 0], ("0", "1")),
    ],
)
def test_labels_of_any_kind(values, numbers, classes):
    found, names = number_labels({"train": read_labels(values, "y")}, None, "d")
    assert found["train"].tolist() == numbers
    assert found["train"].dtype == np.int64
    assert names == classes


def test_parts_are_numbered_alike():
    parts = {"train": read_labels(["b", "a", "c"], "y"), "test": read_labels(["c", "a"], "y")}
    assert number_labels(parts, None, "d")[0]["test"].tolist() == [2, 0]
    parts = {"train": np.array([5, 6, 7]), "test": np.array([7])}
    assert number_labels(parts, None, "d")[0]["test"].tolist() == [2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.5, 1.5], r"integers, booleans or words of shape \(n,\), got float64 of shape \(2,\)"),
        ([[0.25, 0.75], [1.0, 0.0]], "got shares of classes that add up to 1"),
        ([b"\xff"], "as text in UTF-8"),
        ([[1, 1], [0, 1]], r"got int64 of shape \(2, 2\)"),
    ],
)
def test_labels_that_mean_no_class_are_refused(values, message):
    with pytest.raises(DataError, match=message):
        read_labels(values, "y")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"train": np.array(["a"]), "test": np.array(["b"])}, "test part of 'd' has a class 'b' that training lacks"),
        ({"train": np.array(["a"]), "test": np.array([1])}, "labels of one kind in all parts of 'd', got train: <U1"),
        ({"train": np.array([0, 10**9])}, "got up to 1000000000 for 2 images: renumber"),
    ],
)
def test_parts_that_disagree_are_refused(parts, message):
    with pytest.raises(DataError, match=message):
        number_labels(parts, None, "d")
