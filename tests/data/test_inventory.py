from __future__ import annotations

import json
import shutil

import numpy as np

from evonas.data import load_data
from evonas.data.arrays import from_arrays
from evonas.data.inventory import inventory_lines, take_inventory
from evonas.data.skipped import list_parts


def inventory_of(arrays, **more):
    source = from_arrays(arrays, "some")
    digests = {part: images.digests() for part, images in list_parts(source).items()}
    settings = {"channels": 3, "resolution": 6, "asked": False, "memory": "little"}
    return take_inventory(source, digests, **{**settings, **more})


def test_parts_classes_and_sizes(arrays):
    found = inventory_of(arrays)
    assert found.counts == {"train": (8, 8, 8), "test": (2, 2, 2)}
    assert found.sizes == {"6x6": 30}
    assert found.modes == {"3 channels": 30}
    assert found.reason == "the side of all images"
    assert found.warnings == ("under 20 training images in 3 of 3 classes: 0, 1, 2",)
    assert inventory_lines(found)[:2] == [
        "Data some: 30 images, 3 classes, little, 3 channels",
        "  train 24 (largest class 33%): 0 8, 1 8, 2 8",
    ]
    assert json.loads(found.to_json())["largest_share"] == 8 / 24


def test_warnings(arrays):
    labels = np.array([0] * 22 + [1, 2])
    images = np.repeat(arrays["x_train"][:12], 2, axis=0)
    images[23] = images[0]
    test = {"x_test": np.stack([images[0], arrays["x_test"][0]]), "y_test": np.array([0, 1])}
    assert inventory_of({"x_train": images, "y_train": labels, **test}).warnings == (
        "the test part has no images of 2",
        "under 20 training images in 2 of 3 classes: 1, 2",
        "unequal classes: 22 images in the largest, 1 in the smallest",
        "1 images of the test part are in training as well",
        "1 images stand under two classes, such as 0 and 2",
    )


def test_the_block_is_short_and_the_whole_is_whole(arrays):
    found = inventory_of(arrays, seen=[f"warning {i} " + "x" * 90 for i in range(20)])
    lines = inventory_lines(found)
    assert len(lines) == 10
    assert max(map(len, lines)) == 80
    assert lines[-1] == "  ! 16 more warnings: see  evonas data"
    assert len(inventory_lines(found, whole=True)) == 4 + 21


def test_a_data_set_has_its_inventory(tmp_path, write_photos):
    for name in ("ant", "bee"):
        write_photos(tmp_path / name, 9)
    shutil.copy(tmp_path / "ant" / "000.png", tmp_path / "bee" / "copy.png")
    (tmp_path / "bee" / "notes.txt").write_text("no image")
    found = load_data(tmp_path, resolution=5).inventory
    assert found.left_out == {".txt": 1}
    assert found.reason == "asked for"
    assert found.sizes == {"12x10": 19}
    assert found.modes == {"RGB": 19}
    assert {part: sum(held) for part, held in found.counts.items()} == {"train": 15, "test": 4}
    assert any(text.startswith("1 images stand under two classes") for text in found.warnings)


def test_whole_numbers_as_values_are_warned_of(arrays):
    warning = "the targets are 3 whole numbers, read as values: write them as integers if they are classes"
    values = {part: arrays[part].astype(float) for part in ("y_train", "y_test")}
    assert warning in inventory_of({**arrays, **values}).warnings
    values["y_train"] = values["y_train"] + 0.5
    assert inventory_of({**arrays, **values}).warnings == ()
