"""What ``evonas data`` reads: as a search reads it, and with the test part."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from evonas.data.look import look_at
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
    look = look_at(str(tmp_path), PLAIN)
    assert len(look.images) == 15
    assert [one.name for one in look.inventory.skipped] == ["ant/3.png"]


def test_depth_is_that_of_a_search(tmp_path):
    for name in ("ant", "bee"):
        write(tmp_path / name, 8, deep=True)
    assert look_at(str(tmp_path), PLAIN).images.max() == 255


def test_nothing_readable_is_one_error(tmp_path):
    for name in ("ant", "bee"):
        write(tmp_path / name, 2)
        for file in (tmp_path / name).iterdir():
            file.write_bytes(b"none")
    with pytest.raises(DataError, match="has no training images"):
        look_at(str(tmp_path), PLAIN)


def test_what_is_left_out_is_said(tmp_path, write_photos):
    for name in ("ant", "bee", "cat"):
        write_photos(tmp_path / name, 8)
        (tmp_path / "__MACOSX" / name).mkdir(parents=True)
        for number in range(5):
            (tmp_path / name / f"i{number}.heic").write_bytes(b"\0\0\0\x18ftypheic")
            (tmp_path / "__MACOSX" / name / f"._{number}.png").write_bytes(b"\0\5\x16\7" + b"\0" * 100)
    look = look_at(str(tmp_path), PLAIN)
    assert look.inventory.classes == ("ant", "bee", "cat")
    assert look.inventory.left_out == {".heic": 15}
    assert len(look.images) == 24
