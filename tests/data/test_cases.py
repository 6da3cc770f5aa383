"""Small inputs as people have them, kept outside the project: what is right of each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from evonas.data import load_data
from evonas.data.decode import EncodedImages
from evonas.data.overview import overview_of
from evonas.data.read_options import ReadOptions
from evonas.errors import DataError

CASES = Path(os.environ.get("EVONAS_CASES", Path(__file__).parents[3] / "shared" / "cases"))

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases in {CASES}; EVONAS_CASES names their folder")


@pytest.mark.parametrize(
    ("case", "classes", "parts"),
    [
        ("split-names-training-testing", None, ("train", "test")),
        ("parquet-convert", None, ("train", "test")),
        ("parquet-extra", None, ("train", "test")),
        ("parquet-col_image_target", None, ("train", "test")),
        ("parquet-strlab", None, ("train", "test")),
        ("npz-medmnist/medmnist.npz", 4, ("train", "validation", "test")),
        ("npz-notest/notest.npz", 4, ("train",)),
        ("npz-bool/bool.npz", 2, ("train", "test")),
        ("npz-strlabels/strlabels.npz", 4, ("train", "test")),
    ],
)
def test_read(case, classes, parts):
    data = load_data(CASES / case)
    assert len(data.train) > 0
    assert len(data.test) > 0
    assert (len(data.classes) == classes) if classes else len(data.classes) > 1
    assert any("no test part" in note for note in data.notes) == ("test" not in parts)
    assert any("validation part that is there" in note for note in data.notes) == ("validation" in parts)


def test_a_second_part_is_not_ignored():
    data = load_data(CASES / "split-train-testing-mixed")
    assert len(data.classes) == 3
    assert not any("no test part" in note for note in data.notes)


@pytest.mark.parametrize("case", ["depth-png12in16", "depth-tiff_float01"])
def test_depth(case):
    data = load_data(CASES / case)
    assert len(torch.unique(data.train.images)) > 32
    assert int(data.train.images.max()) > 230


def made(case, tmp_path):
    """Run what makes a case in an empty folder, and return the folder that it made."""
    subprocess.run([sys.executable, CASES / case / "make.py"], cwd=tmp_path, check=True)
    (folder,) = tmp_path.iterdir()
    return folder


@pytest.mark.parametrize(("case", "left_out"), [("heic-ignored", {".heic": 15}), ("mac-zip", {})])
def test_what_is_left_out_is_said(case, left_out, tmp_path):
    overview = overview_of(str(made(case, tmp_path)), ReadOptions())
    assert overview.inventory.classes == ("ant", "bee", "cat")
    assert overview.inventory.left_out == left_out
    assert len(overview.images) == 24


def test_a_huge_image_is_read():
    huge = EncodedImages([CASES / "huge-image" / "wsi.png"], np.zeros(1, np.int64), ["wsi.png"])
    assert huge.unreadable() == {}
    assert huge.read(np.arange(1), 3, 32).shape == (1, 3, 32, 32)


def test_small_classes_are_all_named_and_can_be_dropped(tmp_path):
    folder = made("small-classes", tmp_path)
    with pytest.raises(DataError, match=r"^30 of 40 classes have .*'c10' 2, .*'c39' 2; .* --rare drop"):
        load_data(folder)
    assert len(load_data(folder, options=ReadOptions(rare="drop")).classes) == 10


def test_memory_is_told_before_decoding(tmp_path, monkeypatch):
    # What the machine has free.
    monkeypatch.setattr("evonas.data.memory.free_memory", lambda: 500_000_000)
    folder = made("memory-words", tmp_path)
    with pytest.raises(DataError, match=r"take 0\.72 GB at 224 pixels, 0\.5 GB are free: lower --resolution"):
        load_data(folder, resolution=224)


def test_bands_are_channels():
    data = load_data(CASES / "npz-hyper_nhwc" / "hyper_nhwc.npz")
    assert (data.in_channels, data.resolution) == (60, 5)


def test_a_foreign_split_is_not_joined():
    data = load_data(CASES / "parquet-extra")
    assert len(data.train) + len(data.search) + len(data.report) == 40
    assert any("train_clean" in note for note in data.notes)
