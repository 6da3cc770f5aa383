"""Small inputs as people have them, kept outside the project: what is right of each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from evonas.data import load_data

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


def test_bands_are_channels():
    data = load_data(CASES / "npz-hyper_nhwc" / "hyper_nhwc.npz")
    assert (data.in_channels, data.resolution) == (60, 5)


def test_a_foreign_split_is_not_joined():
    data = load_data(CASES / "parquet-extra")
    assert len(data.train) + len(data.search) + len(data.report) == 40
    assert any("train_clean" in note for note in data.notes)
