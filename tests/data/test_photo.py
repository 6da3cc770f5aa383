from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from evonas.data import from_arrays, load_data
from evonas.data.photo import read_photo, resized_array
from evonas.data.preprocessing import preprocessing_of
from evonas.data.resize import resize


@pytest.mark.parametrize("size", [(32, 24), (64, 32), (28, 32), (96, 64), (48, 8), (33, 64), (36, 6)])
def test_arrays_are_resized_as_torch_does(size):
    before, after = size
    pixels = np.random.default_rng(0).integers(0, 256, (6, 3, before, before + 5), dtype=np.uint8)
    expected = resize(torch.from_numpy(pixels), after).numpy()
    got = np.stack([resized_array(image, after) for image in pixels])
    # Equal where torch's processor multiplies and adds in one step; else ties may fall to the other side.
    away = np.abs(got.astype(int) - expected)
    assert away.max() <= 1
    assert away.mean() < 1e-3


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
