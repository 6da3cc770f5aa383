from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from evonas.data import from_arrays, load_data
from evonas.data.photo import cropped_size, fitted_size, read_photo, resized_array
from evonas.data.preprocessing import preprocessing_of
from evonas.data.read_options import ReadOptions
from evonas.data.resize import resize
from evonas.deployment.predict_alone import photo_input
from evonas.training.weights.registry import load_entry


@pytest.mark.parametrize("size", [(32, 24), (64, 32), (28, 32), (96, 64), (48, 8), (33, 64), (36, 6)])
def test_arrays_are_resized_as_torch_does(size):
    before, after = size
    pixels = np.random.default_rng(0).integers(0, 256, (6, 3, before, before + 5), dtype=np.uint8)
    expected = resize(torch.from_numpy(pixels), after).numpy()
    got = np.stack([resized_array(image, (after, after)) for image in pixels])
    # Equal where torch's processor multiplies and adds in one step; else ties may fall to the other side.
    away = np.abs(got.astype(int) - expected)
    assert away.max() <= 1
    assert away.mean() < 1e-3


@settings(max_examples=200, deadline=None)
@given(st.tuples(*[st.integers(1, 90)] * 4), st.sampled_from(["crop", "pad", "stretch"]))
def test_frames_hold_what_is_shown_and_lose_no_more_than_they_must(sides, fit):
    image, frame = sides[:2], sides[2:]
    rows, columns = cropped_size(image, frame) if fit == "crop" else fitted_size(image, frame, fit)
    outer = image if fit == "crop" else frame
    assert 1 <= rows <= outer[0]
    assert 1 <= columns <= outer[1]
    assert rows == outer[0] or columns == outer[1]
    if fit == "crop":  # of the frame's shape, but for rounding to whole pixels
        assert abs(rows - columns * frame[0] / frame[1]) <= 0.5 * max(1, frame[0] / frame[1]) or 1 in (rows, columns)
    if frame[0] == frame[1] and fit == "crop":
        assert rows == columns == min(image)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("shape", [(24, 94), (40, 24), (50, 200)])
def test_arrays_are_brought_to_rectangles_as_torch_does(shape, fit):
    pixels = np.random.default_rng(0).integers(1, 256, (4, 3, *shape), dtype=np.uint8)
    for size in ((24, 94), (16, 20), (128, 40)):
        expected = resize(torch.from_numpy(pixels), size, fit).numpy()
        assert expected.shape == (4, 3, *size)
        got = np.stack([resized_array(image, size, fit) for image in pixels])
        away = np.abs(got.astype(int) - expected)
        assert away.max() <= 1
        assert away.mean() < 1e-3
        assert shape != size or np.array_equal(got, pixels)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_photos_are_brought_to_rectangles(fit):
    pixels = np.zeros((20, 100, 3), dtype=np.uint8)
    pixels[:, 38:62] = (255, 0, 0)  # the middle is red
    got = read_photo(_png(Image.fromarray(pixels)), "RGB", (10, 25), fit=fit)
    assert got.shape == (3, 10, 25)
    red = (got[0] > 200).sum(1)
    assert np.array_equal(red, {"crop": [11] * 10, "stretch": [5] * 10, "pad": [0] * 2 + [5] * 5 + [0] * 3}[fit])


@pytest.mark.parametrize("fit", ["pad", "stretch"])
@pytest.mark.parametrize("shape", [(24, 40), (40, 24), (7, 30), (16, 16)])
def test_whole_arrays_are_resized_as_torch_does(shape, fit):
    pixels = np.random.default_rng(0).integers(1, 256, (4, 3, *shape), dtype=np.uint8)
    for side in (16, 33, max(shape)):
        expected = resize(torch.from_numpy(pixels), side, fit).numpy()
        got = np.stack([resized_array(image, (side, side), fit) for image in pixels])
        assert got.shape == (4, 3, side, side)
        away = np.abs(got.astype(int) - expected)
        assert away.max() <= 1
        assert away.mean() < 1e-3
        if fit == "pad":  # bars stand on both sides alike, and nowhere else
            shown = (expected > 0).any((0, 1))
            rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
            assert max(len(rows), len(columns)) == side
            assert abs(min(len(rows), len(columns)) - side * min(shape) / max(shape)) <= 0.5
            assert abs(rows[0] - (side - 1 - rows[-1])) <= 1
            assert abs(columns[0] - (side - 1 - columns[-1])) <= 1
        else:
            assert (expected > 0).all()


@pytest.mark.parametrize("fit", ["pad", "stretch"])
def test_a_photo_becomes_what_the_data_were_read_as(tmp_path, fit):
    for name in ("a", "b"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(8):
            pixels = np.random.default_rng(i).integers(0, 256, (20, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / name / f"{i}.jpg")
    for side in (None, 24):
        data = load_data(tmp_path / "set", resolution=side, options=ReadOptions(fit=fit))
        assert data.resolution == (side or 48)
        settings = preprocessing_of(data)
        assert (settings["fit"], settings["crop"]) == (fit, None)
        held = data._test_images
        for image, file in zip(data.test.images, held.items, strict=True):
            read = photo_input(file, settings)[0]
            assert np.array_equal(np.rint(read * 255).astype(np.uint8), image.numpy())


def _png(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def test_a_photo_keeps_its_size_where_none_is_asked_for_and_alpha_where_its_mode_has_it():
    image = Image.new("RGBA", (5, 3), (255, 0, 0, 128))
    assert read_photo(_png(image), "RGBA", None).shape == (4, 3, 5)
    assert read_photo(_png(image), "RGBA", 3)[:, 0, 0].tolist() == [255, 0, 0, 128]
    assert read_photo(_png(image), "RGB", None)[:, 0, 0].tolist() == [255, 127, 127]  # on white
    palette = image.convert("RGB").convert("P")
    assert read_photo(_png(palette, transparency=0), "RGBA", None).shape == (4, 3, 5)


def test_arrays_of_their_own_size_say_so_and_others_how_they_are_resized(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 4096, (60, 12, 16, 3), dtype=np.uint16)
    np.savez(tmp_path / "data.npz", x_train=images, y_train=np.arange(60) % 3)
    whole, small = (load_data(tmp_path / "data.npz", resolution=side) for side in (12, 8))
    found = preprocessing_of(small)
    assert (found["resize"], found["size"], found["mode"], found["white"]) == ("arrays", [8, 8], "RGB", 4095)
    assert found["normalization"] == {"where": "inside the model", "mean": list(small.mean), "std": list(small.std)}
    assert preprocessing_of(whole)["resize"] == "arrays"  # cropped from 12 x 16
    digits = preprocessing_of(load_data("digits"))
    assert (digits["resize"], digits["levels"], digits["mode"], digits["white"]) == ("pillow", 16, "L", None)
    # As a file, a test image becomes what the data set holds of it.
    source = from_arrays(dict(np.load(tmp_path / "data.npz")), "data")
    expected = source.train.read(np.arange(5), 3, 8).numpy()
    for pixels, row in zip(images[:5], expected, strict=True):
        eight = np.rint(pixels * (255 / 4095)).astype(np.uint8)
        assert np.array_equal(read_photo(_png(Image.fromarray(eight)), "RGB", 8, None, "arrays"), row)


def test_gray_arrays_of_many_bits_are_read_back_from_files(tmp_path):
    images = np.random.default_rng(0).integers(0, 4096, (20, 6, 6), dtype=np.uint16)
    source = from_arrays({"x_train": images, "y_train": np.arange(20) % 2}, "deep")
    expected = source.train.read(np.arange(20), 1, 6).numpy()
    read = [read_photo(_png(Image.fromarray(image)), "L", 6, source.train.white) for image in images]
    assert np.array_equal(np.stack(read), expected)


def test_mean_and_deviation_of_published_weights_travel():
    published = load_entry("efficientnet_lite0").preprocessing
    assert published is not None
    mean, std = published.mean, published.std
    data = load_data("digits", channels=3, statistics=(mean, std), limit=100)
    found = preprocessing_of(data)
    assert (found["mode"], found["channels"]) == ("RGB", 3)
    assert found["normalization"] == {"where": "inside the model", "mean": list(mean), "std": list(std)}
