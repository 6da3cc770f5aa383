from __future__ import annotations

import numpy as np
import pytest

from evonas.data.arrays import as_pixels, from_arrays
from evonas.errors import DataError


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5, 8, 9), (5, 1, 8, 9)),
        ((5, 8, 9, 3), (5, 3, 8, 9)),
        ((5, 3, 8, 9), (5, 3, 8, 9)),
        ((5, 1, 8, 8), (5, 1, 8, 8)),
        ((5, 8, 8, 1), (5, 1, 8, 8)),
        ((5, 3, 3, 3), (5, 3, 3, 3)),
    ],
)
def test_layouts(shape, expected):
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    pixels = as_pixels(images, "x")
    assert pixels.shape == expected
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    if shape[-1] == 3:  # last axis is the channels' also where all three are equal
        assert np.array_equal(pixels[2, 1], images[2, :, :, 1])


def test_floats_and_wide_integers_become_uint8():
    values = np.array([0, 1, 127, 254, 255], dtype=np.float32).reshape(5, 1, 1) / 255
    assert as_pixels(values, "x").ravel().tolist() == [0, 1, 127, 254, 255]
    assert as_pixels(np.array([[[0, 255]]]), "x").ravel().tolist() == [0, 255]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 8)), r"^Expected x to be uint8 images of shape .* got float64 of shape \(4, 8\)$"),
        (np.zeros((4, 8, 8), dtype=bool), "got bool of shape"),
        (np.zeros((4, 0, 8), dtype=np.uint8), r"got uint8 of shape \(4, 0, 8\)"),
        (np.full((4, 2, 2), 255.0), r"floats in \[0, 1\], got float64 from 255 to 255: give raw pixels"),
        (np.full((4, 2, 2), -1), "got int64 from -1 to -1"),
        (np.full((4, 2, 2), 256), "got int64 from 256 to 256"),
    ],
)
def test_bad_images(images, message):
    with pytest.raises(DataError, match=message):
        as_pixels(images, "x")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(value):
    images = np.zeros((4, 2, 2))
    images[1, 0, :] = images[3, 1, 1] = value
    with pytest.raises(DataError, match="Expected finite values in x, 2 of 4 images hold NaN or infinity"):
        as_pixels(images, "x")


def test_from_arrays(arrays):
    source = from_arrays({**arrays, "class_names": np.array(["ant", "bee", "cat"])}, "insects")
    assert source.name == "insects"
    assert source.classes == ("ant", "bee", "cat")
    assert len(source.train) == 24
    assert source.test is not None
    assert source.test.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert source.train.native() == (3, 6)
    assert np.array_equal(source.train.read(np.array([3]), 3, 6)[0].numpy(), arrays["x_train"][3].transpose(2, 0, 1))


def test_names_of_bytes_and_columns_of_labels(arrays):
    changed = {**arrays, "y_train": arrays["y_train"][:, None], "class_names": np.array([b"a", b"b", b"c"])}
    source = from_arrays(changed, "x")
    assert source.classes == ("a", "b", "c")
    assert source.train.labels.shape == (24,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_test": None, "y_test": None}, r"in 'd', missing: x_test, y_test \(it holds x_train, y_train\)$"),
        (
            {"y_train": np.arange(23) % 3},
            "as many labels as images in 'd', got 24 in x_train and 23 in y_train",
        ),
        (
            {"y_test": np.zeros(6)},
            r"y_test of 'd' to be integers of shape \(n,\), got float64 of shape \(6,\)",
        ),
        ({"y_train": np.zeros((24, 3), dtype=int)}, r"got int64 of shape \(24, 3\)"),
        ({"y_train": np.full(24, 10**12)}, "got up to 1000000000000 for 24 images: renumber them from 0"),
        (
            {"x_test": np.zeros((6, 7, 6, 3), dtype=np.uint8)},
            r"one shape of image, got 3x6x6 and 3x7x6 \(c, h, w\)",
        ),
        (
            {"class_names": np.array(["a", "b", "a"])},
            "class_names of 'd' to differ from one another, got a, b, a",
        ),
    ],
)
def test_bad_arrays(arrays, change, message):
    changed = {key: value for key, value in {**arrays, **change}.items() if value is not None}
    with pytest.raises(DataError, match=message):
        from_arrays(changed, "d")


def test_digests_tell_images_apart(arrays):
    images = from_arrays(arrays, "d").train
    digests = images.digests()
    assert digests.shape == (24, 16)
    assert len({row.tobytes() for row in digests}) == 24
    assert np.array_equal(images.take(np.array([5, 2])).digests(), digests[[5, 2]])
