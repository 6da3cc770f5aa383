from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evonas.data.decode import EncodedImages, decode
from evonas.errors import DataError, MissingExtraError


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def solid(size: tuple[int, int], color: tuple[int, ...] = (10, 20, 30), kind: str = "PNG") -> bytes:
    return encoded(Image.new("RGB", size, color), kind)


def images_of(*items: bytes | Path) -> EncodedImages:
    return EncodedImages(items, np.zeros(len(items), dtype=np.int64), [f"item {i}" for i in range(len(items))])


def test_png_of_the_right_size_is_exact():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 7, 3), dtype=np.uint8)
    assert np.array_equal(decode(encoded(Image.fromarray(pixels)), 3, 7), pixels.transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("image", "channels", "expected"),
    [
        (Image.new("L", (4, 4), 77), 1, [77]),
        (Image.new("L", (4, 4), 77), 3, [77, 77, 77]),
        (Image.new("RGB", (4, 4), (255, 0, 0)), 1, [76]),  # ITU-R 601-2: 0.299 of 255
        (Image.new("1", (4, 4), 1), 1, [255]),
        (Image.new("I;16", (4, 4), 0x8042), 1, [0x80]),
        (Image.new("RGBA", (4, 4), (0, 0, 0, 0)), 3, [255, 255, 255]),
        (Image.new("RGBA", (4, 4), (9, 8, 7, 255)), 3, [9, 8, 7]),
        (Image.new("LA", (4, 4), (0, 0)), 1, [255]),
        (Image.new("RGB", (4, 4), (1, 2, 3)).convert("P", palette=Image.Palette.ADAPTIVE), 3, [1, 2, 3]),
    ],
    ids=["L", "L to RGB", "RGB to L", "1", "16 bit", "transparent", "opaque", "LA", "palette"],
)
def test_modes(image, channels, expected):
    pixels = decode(encoded(image), channels, 4)
    assert pixels.shape == (channels, 4, 4)
    assert pixels[:, 2, 1].tolist() == expected


def test_transparent_color_of_rgb_is_white():
    image = Image.new("RGB", (4, 4), (5, 6, 7))
    assert decode(encoded(image, transparency=(5, 6, 7)), 3, 4)[:, 0, 0].tolist() == [255, 255, 255]


def test_exif_orientation_turns_the_image():
    image = Image.new("RGB", (8, 8), (0, 0, 0))
    image.paste((255, 255, 255), (0, 0, 8, 4))  # white above
    exif = Image.Exif()
    exif[0x0112] = 6  # shown a quarter turn clockwise: white to the right
    pixels = decode(encoded(image, "JPEG", exif=exif.tobytes(), quality=95), 3, 8)
    assert pixels[:, :, 6].min() > 200
    assert pixels[:, :, 1].max() < 50


@pytest.mark.parametrize("size", [(40, 20), (20, 40)])
def test_shorter_side_is_resized_and_center_cropped(size):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    halved = image.resize((size[0] // 2, size[1] // 2), Image.Resampling.BILINEAR)
    left, top = (halved.width - 10) // 2, (halved.height - 10) // 2
    expected = np.asarray(halved.crop((left, top, left + 10, top + 10))).transpose(2, 0, 1)
    # Pillow rounds between its two passes, so the order of cropping and resizing may show by one.
    assert np.abs(decode(encoded(image), 3, 10) - expected.astype(int)).max() <= 1


def test_large_jpeg_shrinks_to_its_mean_color():
    assert np.abs(decode(solid((640, 480), kind="JPEG"), 3, 16).mean((1, 2)) - [10, 20, 30]).max() < 2


def test_enlarges_small_images():
    assert decode(solid((2, 3)), 3, 9).shape == (3, 9, 9)


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([solid((8, 8))] * 3, (3, 8)),
        ([encoded(Image.new("L", (28, 28)))] * 2, (1, 28)),
        ([encoded(Image.new("L", (28, 28))), solid((28, 28))], (3, 28)),
        ([solid((300, 300))], (3, 300)),
        ([solid((100, 90))] * 2, (3, 64)),
        ([solid((300, 200)), solid((20, 10)), solid((40, 30))], (3, 30)),
    ],
    ids=["color", "gray", "mixed", "large squares", "photos", "median"],
)
def test_native(items, expected):
    assert images_of(*items).native() == expected


def test_read_and_take():
    images = EncodedImages([solid((4, 4), (i, 0, 0)) for i in range(6)], np.arange(6), [str(i) for i in range(6)])
    assert images.read(np.array([4, 1]), 3, 4)[:, 0, 0, 0].tolist() == [4, 1]
    taken = images.take(np.array([5, 2]))
    assert taken.read(np.array([0]), 3, 4)[0, 0, 0, 0] == 5
    assert taken.labels.tolist() == [5, 2]
    assert taken.names == ["5", "2"]
    assert np.array_equal(taken.digests(), images.digests()[[5, 2]])


def test_large_photos_read_the_same_in_threads(tmp_path):
    rng = np.random.default_rng(0)
    items = []
    for i in range(5):
        items.append(tmp_path / f"{i}.jpg")
        Image.fromarray(rng.integers(0, 256, (140, 150, 3), dtype=np.uint8)).save(items[-1])
    read = images_of(*items).read(np.arange(5), 3, 16).numpy()
    assert np.array_equal(read, np.stack([decode(item, 3, 16) for item in items]))


def test_files_and_bytes_have_equal_digests(tmp_path):
    (tmp_path / "a.png").write_bytes(solid((4, 4)))
    assert np.array_equal(images_of(tmp_path / "a.png").digests(), images_of(solid((4, 4))).digests())


def test_survives_the_way_to_a_worker():
    images = images_of(solid((4, 4)))
    images.native()
    assert pickle.loads(pickle.dumps(images)).native() == (3, 4)  # noqa: S301  processes hand it over like this


def torn(size: tuple[int, int] = (64, 64)) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    return encoded(Image.fromarray(pixels))[:2000]


def test_undecodable_images_are_named_and_counted():
    images = images_of(solid((4, 4)), b"garbage", solid((4, 4)), b"", torn())
    message = r"^2 of 5 images cannot be decoded: item 1, item 3 \(cannot identify image file\); repair"
    assert images.unreadable() == {1: "cannot identify image file", 3: "cannot identify image file"}
    with pytest.raises(DataError, match=message):
        images.native()
    with pytest.raises(DataError, match=r"^1 of 2 images cannot be decoded: item 4 \(.*truncated"):
        images_of(*[solid((4, 4))] * 4, torn()).read(np.array([0, 4]), 3, 4)


def test_many_undecodable_images_are_cut_short():
    with pytest.raises(DataError, match=r"^7 of 7 .*: item 0, item 1, item 2, item 3, item 4 and 2 more \("):
        images_of(*[b"x"] * 7).native()


def test_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"1 of 1 images cannot be decoded: item 0 \(.*No such file"):
        images_of(tmp_path / "gone.png").digests()


def test_missing_pillow(monkeypatch):
    # What is installed is a matter of the environment.
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    with pytest.raises(MissingExtraError, match=r"needs the package 'PIL'.*pip install 'evonas\[data\]'"):
        images_of(b"x").unreadable()


def test_scans_beyond_pillows_limit_are_read_and_ours_holds(monkeypatch):
    # An image beyond the bound would take gigabytes.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    wide = encoded(Image.new("RGB", (20, 20), "red"))
    assert images_of(wide).read(np.arange(1), 3, 4).float().mean((0, 2, 3)).tolist() == [255, 0, 0]
    assert Image.MAX_IMAGE_PIXELS == 50
    # An image beyond the bound would take gigabytes.
    monkeypatch.setattr("evonas.data.photo.MOST_PIXELS", 399)
    assert images_of(wide).unreadable() == {0: "20 x 20 pixels are more than 399: make the image smaller"}
