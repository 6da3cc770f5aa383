"""What ``evonas data`` reads: as a search reads it, and with the test part."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from evonas.data.overview import overview_of, write_overview
from evonas.data.read_options import PLAIN
from evonas.errors import DataError


def write(folder, count, *, deep=False):
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for i in range(count):
        share = rng.random((12, 12))
        share[0, 0] = 1.0
        pixels = np.rint(share * 4095).astype(np.uint16) if deep else np.rint(share * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")


def test_torn_images_are_counted(tmp_path):
    for name in ("ant", "bee"):
        write(tmp_path / name, 8)
    whole = (tmp_path / "ant" / "3.png").read_bytes()
    (tmp_path / "ant" / "3.png").write_bytes(whole[: len(whole) // 2])
    overview = overview_of(str(tmp_path), PLAIN)
    assert len(overview.images) == 15
    assert [one.name for one in overview.inventory.skipped] == ["ant/3.png"]


def test_depth_is_that_of_a_search(tmp_path):
    for name in ("ant", "bee"):
        write(tmp_path / name, 8, deep=True)
    assert overview_of(str(tmp_path), PLAIN).images.max() == 255


def test_nothing_readable_is_one_error(tmp_path):
    for name in ("ant", "bee"):
        write(tmp_path / name, 2)
        for file in (tmp_path / name).iterdir():
            file.write_bytes(b"none")
    with pytest.raises(DataError, match="has no training images"):
        overview_of(str(tmp_path), PLAIN)


def test_what_is_left_out_is_said(tmp_path, write_photos):
    for name in ("ant", "bee", "cat"):
        write_photos(tmp_path / name, 8)
        (tmp_path / "__MACOSX" / name).mkdir(parents=True)
        for number in range(5):
            (tmp_path / name / f"i{number}.heic").write_bytes(b"\0\0\0\x18ftypheic")
            (tmp_path / "__MACOSX" / name / f"._{number}.png").write_bytes(b"\0\5\x16\7" + b"\0" * 100)
    overview = overview_of(str(tmp_path), PLAIN)
    assert overview.inventory.classes == ("ant", "bee", "cat")
    assert overview.inventory.left_out == {".heic": 15}
    assert len(overview.images) == 24


def test_a_look_writes_inventory_and_pictures(tmp_path, write_photos):
    for name in ("ant", "bee"):
        write_photos(tmp_path / "data" / name, 9)
    (tmp_path / "data" / "bee" / "torn.png").write_bytes(b"")
    overview = overview_of(str(tmp_path / "data"), PLAIN)
    assert [one.name for one in overview.inventory.skipped] == ["bee/torn.png"]
    files = write_overview(overview, tmp_path / "out")
    assert [file.name for file in files] == ["inventory.json", "class-0-ant.png", "class-1-bee.png", "sizes.png"]
    assert json.loads(files[0].read_text())["counts"] == {"train": [9, 9]}
    sheet = np.asarray(Image.open(files[1]))
    assert sheet.shape == (128, 512, 3)  # eight in a row, the ninth below
    assert (sheet[64:, 64:] == 255).all()
    assert len(np.unique(sheet[:64])) > 100


def test_rare_classes_do_not_stop_a_look(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", x_train=arrays["x_train"][:9], y_train=np.array([0] * 8 + [1]))
    assert overview_of(str(tmp_path / "a.npz"), PLAIN).inventory.counts == {"train": (8, 1)}
