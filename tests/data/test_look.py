from __future__ import annotations

import json

import numpy as np
from PIL import Image

from evonas.data.look import look_at, write_look
from evonas.data.read_options import ReadOptions


def test_a_look_writes_inventory_and_pictures(tmp_path, write_photos):
    for name in ("ant", "bee"):
        write_photos(tmp_path / "data" / name, 9)
    (tmp_path / "data" / "bee" / "torn.png").write_bytes(b"")
    look = look_at(str(tmp_path / "data"), ReadOptions())
    assert [one.name for one in look.inventory.skipped] == ["bee/torn.png"]
    files = write_look(look, tmp_path / "out")
    assert [file.name for file in files] == ["inventory.json", "class-0-ant.png", "class-1-bee.png", "sizes.png"]
    assert json.loads(files[0].read_text())["counts"] == {"train": [9, 9]}
    sheet = np.asarray(Image.open(files[1]))
    assert sheet.shape == (128, 512, 3)  # eight in a row, the ninth below
    assert (sheet[64:, 64:] == 255).all()
    assert len(np.unique(sheet[:64])) > 100


def test_rare_classes_do_not_stop_a_look(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", x_train=arrays["x_train"][:9], y_train=np.array([0] * 8 + [1]))
    assert look_at(str(tmp_path / "a.npz"), ReadOptions()).inventory.counts == {"train": (8, 1)}
