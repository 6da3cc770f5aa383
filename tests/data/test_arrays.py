from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

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
    if shape[-1] == 3:  # last axis is the channels' also where all three are equal
        assert np.array_equal(pixels[2, 1], images[2, :, :, 1])


@pytest.mark.parametrize(
    ("shape", "layout", "expected"),
    [
        ((16, 5, 5, 60), None, (16, 60, 5, 5)),  # hyperspectral: bands are channels
        ((16, 60, 5, 5), None, (16, 60, 5, 5)),
        ((16, 64, 20, 3), None, (16, 3, 64, 20)),
        ((16, 64, 20, 30), "NHWC", (16, 30, 64, 20)),
        ((16, 5, 5, 60), "NCHW", (16, 5, 5, 60)),
    ],
)
def test_two_equal_axes_are_height_and_width_and_a_layout_overrides(shape, layout, expected):
    assert as_pixels(np.zeros(shape, dtype=np.uint8), "x", layout).shape == expected


def test_channels_that_cannot_be_told_are_asked_for():
    with pytest.raises(DataError, match=r"got shape \(4, 64, 20, 30\): say which it is by --layout NHWC or"):
        as_pixels(np.zeros((4, 64, 20, 30), dtype=np.uint8), "x")
    with pytest.raises(DataError, match=r"x in the layout NHW, got shape \(4, 6, 6, 3\)"):
        as_pixels(np.zeros((4, 6, 6, 3), dtype=np.uint8), "x", "NHW")


def red(values: np.ndarray, arrays: dict[str, np.ndarray]) -> list[int]:
    """What values of the first pixels become."""
    values = np.asarray(values)
    x = np.zeros((24, 6, 6, 3), dtype=values.dtype)
    x[: len(values), 0, 0, 0] = values
    return from_arrays(arrays | {"x_train": x, "x_test": x[:6]}, "d").train.pixels[: len(values), 0, 0, 0].tolist()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 1, 127, 254, 255], dtype=np.float32) / 255, [0, 1, 127, 254, 255]),
        (np.array([0, 1, 127, 254, 255], dtype=np.float64), [0, 1, 127, 254, 255]),
        (np.array([0, 255], dtype=np.int64), [0, 255]),
        (np.array([0, 1023], dtype=np.uint16), [0, 255]),
        (np.array([0, 2048, 4095], dtype=np.uint16), [0, 128, 255]),
        (np.array([0, 65535], dtype=np.uint16), [0, 255]),
        (np.array([False, True]), [0, 255]),
    ],
)
def test_values_keep_their_meaning_whatever_their_type(arrays, values, expected):
    assert red(values, arrays) == expected


def test_one_depth_holds_for_all_parts(arrays):
    dark = arrays | {key: (arrays[key].astype(np.uint16) * 16 if "x" in key else arrays[key]) for key in arrays}
    dark["x_test"] //= 64
    source = from_arrays(dark, "d")
    assert source.train.pixels.max() > 200
    assert source.test.pixels.max() <= 4  # by itself it would be brightened


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 8)), r"^Expected x to be images of shape .* got float64 of shape \(4, 8\)$"),
        (np.full((4, 8, 8), "a"), "got <U1 of shape"),
        (np.zeros((4, 0, 8), dtype=np.uint8), r"got uint8 of shape \(4, 0, 8\)"),
    ],
)
def test_bad_images(images, message):
    with pytest.raises(DataError, match=message):
        as_pixels(images, "x")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([0.0, 255.5]), r"floats in \[0, 1\] or in \[0, 255\], got float64 from 0 to 255.5: give raw pixels"),
        (np.array([-1, 0]), "got int64 from -1 to 0"),
        (np.array([-0.5, 0.5], dtype=np.float32), "got float32 from -0.5 to 0.5"),
        (np.array([0, 65536]), "got int64 from 0 to 65536"),
    ],
)
def test_values_without_a_meaning_are_refused_by_range_and_type(arrays, values, message):
    with pytest.raises(DataError, match=message):
        red(values, arrays)


@pytest.mark.parametrize(
    "names",
    [
        ("train_images", "train_labels", "test_images", "test_labels"),  # medmnist
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("trainX", "trainY", "testX", "testY"),
        ("images_training", "targets_training", "images_testing", "targets_testing"),
    ],
)
def test_arrays_by_the_names_that_people_give_them(arrays, names):
    source = from_arrays(dict(zip(names, arrays.values(), strict=True)), "d")
    assert (len(source.train), len(source.test)) == (24, 6)


def test_a_validation_part_is_used_and_a_test_part_may_lack(arrays):
    given = {"images": arrays["x_train"], "labels": arrays["y_train"]}
    assert from_arrays(given, "d").test is None
    given = arrays | {"x_val": arrays["x_test"], "y_val": arrays["y_test"]}
    assert len(from_arrays(given, "d").validation) == 6


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
        ({"x_train": None, "y_train": None}, r"x_train and y_train in 'd', .*; it holds x_test, y_test$"),
        ({"y_test": None}, "images and labels of each part of 'd', got x_test alone"),
        (
            {"y_train": np.arange(23) % 3},
            "as many labels as images in 'd', got 24 in x_train and 23 in y_train",
        ),
        (
            {"y_test": np.zeros(6)},
            r"y_test of 'd' to be integers, booleans or words of shape \(n,\), got float64 of shape \(6,\)",
        ),
        ({"y_train": np.zeros((24, 3), dtype=int)}, r"got int64 of shape \(24, 3\)"),
        ({"y_train": np.arange(24) * 10**12}, "got up to 23000000000000 for 24 images: renumber them from 0"),
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


def test_parts_of_other_kinds_of_values_are_refused(arrays):
    shares = arrays["x_test"].astype(np.float32) / 255  # by themselves white at 1, beside bytes black
    with pytest.raises(DataError, match=r"one kind of values in all parts of 'd', got x_train: uint8, x_test: float32"):
        from_arrays(arrays | {"x_test": shares}, "d")
    wide = {key: arrays[key].astype(np.int64) if key == "x_test" else arrays[key] for key in arrays}
    assert np.array_equal(from_arrays(wide, "d").test.pixels, from_arrays(arrays, "d").test.pixels)


def test_three_channels_are_turned_to_gray_as_pillow_does(arrays):
    images = from_arrays(arrays, "d").train
    expected = np.asarray(Image.fromarray(arrays["x_train"][3]).convert("L"))
    found = images.read(np.array([3]), 1, 6)[0, 0].numpy()
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_labels_of_images_are_labels(arrays):
    names = ("train_images", "train_image_labels", "test_images", "test_image_labels")
    assert from_arrays(dict(zip(names, arrays.values(), strict=True)), "d").train.labels.tolist() == list(range(3)) * 8


@pytest.mark.parametrize(
    "names", ["xtrain ytrain xtest ytest", "Xtr Ytr Xte Yte", "trX trY teX teY", "x_tr y_tr x_te y_te"]
)
def test_short_names(arrays, names):
    source = from_arrays(dict(zip(names.split(), arrays.values(), strict=True)), "d")
    assert (len(source.train), len(source.test)) == (24, 6)
    assert source.train.labels.tolist() == arrays["y_train"].tolist()


@pytest.mark.parametrize("names", [("arr_0", "arr_1"), ("features", "labels")])
def test_two_arrays_of_any_name_are_told_by_their_shapes(arrays, names):
    source = from_arrays(dict(zip(names, (arrays["x_train"], arrays["y_train"]), strict=True)), "d")
    assert (len(source.train), source.test) == (24, None)


def test_two_arrays_of_labels_are_refused(arrays):
    arrays["y_train_coarse"] = arrays["y_train"]
    with pytest.raises(DataError, match="one array where 'd' has y_train, y_train_coarse of the train part: keep one"):
        from_arrays(arrays, "d")
    arrays["y_train_coarse"] = np.zeros(3)  # of something else
    assert len(from_arrays(arrays, "d").train) == 24
