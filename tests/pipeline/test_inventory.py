from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from evonas.config import make_settings
from evonas.pipeline.run import search


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(0)
    for part, count in (("train", 30), ("test", 5)):
        for name in ("ant", "bee"):
            folder = tmp_path / "photos" / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    (tmp_path / "photos" / "train" / "ant" / "7.png").write_bytes(b"torn")
    return tmp_path / "photos"


def test_a_search_says_and_keeps_what_its_data_hold(tmp_path, photos, spoken):
    settings = make_settings(
        data=str(photos), objectives=("flops", "params"), space="nasbench201", pretrained="none", population=4,
        generations=1, warm_start=0,
    )  # fmt: skip
    with search(settings, tmp_path / "run", progress=spoken) as run:
        assert spoken.lines[0].startswith("Data photos: 69 images, 2 classes")
        assert "  left out 1 files: 1 unreadable" in spoken.lines
        kept = json.loads((run.path / "inventory.json").read_text())
        assert kept["counts"] == {"train": [29, 30], "test": [5, 5]}
        rows = list(csv.reader((run.path / "skipped.csv").read_text().splitlines()))
        assert rows[0] == ["part", "name", "reason"]
        assert rows[1][:2] == ["train", "train/ant/7.png"]
