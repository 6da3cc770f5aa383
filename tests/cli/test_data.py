from __future__ import annotations

import numpy as np
import pytest
from PIL import Image


def test_data_are_shown_and_written(evonas, tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", x_train=rng.integers(0, 256, (30, 8, 8), dtype=np.uint8), y_train=np.arange(30) % 3)
    printed = evonas("data", tmp_path / "a.npz", "--out", tmp_path / "out").stdout
    assert printed.startswith("Data a: 30 images, 3 classes")
    assert f"Wrote 5 files to {tmp_path / 'out'}" in printed
    assert len(list((tmp_path / "out").iterdir())) == 5


def test_a_sheet_shows_what_training_sees(evonas, tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", images=rng.integers(0, 256, (24, 16, 16, 3), dtype=np.uint8), labels=np.arange(24) % 2)
    printed = evonas("data", tmp_path / "a.npz", "--augment", "photos", "--out", tmp_path / "out").stdout
    assert f"Wrote {tmp_path / 'out' / 'augment.png'}" in printed
    with Image.open(tmp_path / "out" / "augment.png") as sheet:
        tiles = np.asarray(sheet).reshape(8, 64, 8, 64, 3).transpose(0, 2, 1, 3, 4)
    assert len({tile.tobytes() for tile in tiles[0]}) == 8
    done = evonas("data", tmp_path / "a.npz", "--augment", "photoss")
    assert (done.returncode, "Did you mean 'photos'" in done.stderr) == (2, True)


@pytest.mark.parametrize("name", ["nothing.npz", "digit"])
def test_unknown_data_are_one_line(evonas, name):
    done = evonas("data", name)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Error: Unknown data '{name}'")
