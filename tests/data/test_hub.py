from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from evonas.data.hub import read_hub
from evonas.errors import DataError, MissingExtraError


class FakeSplit:
    """What `datasets.Dataset` offers, as far as it is used."""

    def __init__(self, columns, names=None):
        self.columns = columns
        self.column_names = list(columns)
        self.features = {name: SimpleNamespace(names=names) if names else SimpleNamespace() for name in columns}
        self.cast = None

    def cast_column(self, name, feature):
        self.cast = (name, feature)
        return self

    def __getitem__(self, name):
        return self.columns[name]


@pytest.fixture
def hub(monkeypatch):
    """The package `datasets`, holding what a test puts into it by name."""
    held = {}

    def load_dataset(name):
        if name not in held:
            raise FileNotFoundError(f"Dataset '{name}' doesn't exist\non the Hub")
        return held[name]

    package = SimpleNamespace(load_dataset=load_dataset, Image=lambda decode: ("image", decode))
    # What is installed is a matter of the environment.
    monkeypatch.setitem(sys.modules, "datasets", package)
    return held


@pytest.mark.parametrize(("source", "name"), [("hub:mnist", "mnist"), ("me/insects", "me/insects")])
def test_reads_splits(hub, cells, source, name):
    rows = [{"bytes": cell, "path": None} for cell in cells]
    train = FakeSplit({"image": rows, "label": [i % 3 for i in range(24)]}, names=["a", "b", "c"])
    hub[name] = {"train": train, "test": FakeSplit({"image": rows[:3], "label": [0, 1, 2]})}
    found = read_hub(source)
    assert found is not None
    assert (found.name, found.classes) == (name, ("a", "b", "c"))
    assert train.cast == ("image", ("image", False))  # bytes come as they are, nothing is decoded twice
    assert found.train.labels.tolist() == [i % 3 for i in range(24)]
    assert found.test is not None
    assert np.array_equal(found.test.digests(), found.train.digests()[:3])


def test_fine_labels_without_test(hub, cells):
    rows = [{"bytes": cell, "path": None} for cell in cells]
    hub["c/100"] = {"train": FakeSplit({"img": rows, "fine_label": [i % 3 for i in range(24)]})}
    found = read_hub("c/100")
    assert found is not None
    assert found.test is None
    assert found.classes == ("0", "1", "2")


@pytest.mark.parametrize("source", ["digits", "./a/b", "../a/b", "a/b/c", "/a/b", "a/b.npz", "tests/absent"])
def test_other_sources_are_not_its_own(hub, source, tmp_path, monkeypatch):
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path)
    assert read_hub(source) is None


def test_unknown_name(hub):
    with pytest.raises(
        DataError,
        match=r"^Cannot load 'me/x' from the hub \(Dataset 'me/x' doesn't exist on the Hub\): check the name",
    ):
        read_hub("me/x")


def test_no_training_split(hub):
    hub["me/x"] = {"test": FakeSplit({})}
    with pytest.raises(DataError, match="Expected a split 'train' in 'me/x' of the hub, it has test"):
        read_hub("me/x")


def test_no_label_column(hub):
    hub["me/x"] = {"train": FakeSplit({"image": []})}
    with pytest.raises(DataError, match="a column 'label' or 'labels' in split train of 'me/x', it holds image"):
        read_hub("me/x")


def test_missing_package(monkeypatch):
    # What is installed is a matter of the environment.
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"needs the package 'datasets', .*pip install 'evonas\[data\]'"):
        read_hub("hub:mnist")
