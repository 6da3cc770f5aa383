from __future__ import annotations

import numpy as np
import pytest

from evonas.data.npz import read_npz
from evonas.errors import DataError


def test_reads_what_was_saved(tmp_path, arrays):
    np.savez(tmp_path / "three.npz", **arrays, class_names=np.array(["a", "b", "c"]))
    source = read_npz(str(tmp_path / "three.npz"))
    assert source is not None
    assert (source.name, source.classes, source.scale) == ("three", ("a", "b", "c"), 255.0)
    assert source.train.labels.tolist() == arrays["y_train"].tolist()


@pytest.mark.parametrize("name", ["absent.npz", "."])
def test_other_sources_are_not_its_own(tmp_path, name):
    assert read_npz(str(tmp_path / name)) is None


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 torn"])
def test_unreadable(tmp_path, content):
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"^Cannot read '.*bad\.npz' as a NumPy archive \(.*\): write it again"):
        read_npz(str(tmp_path / "bad.npz"))


def test_single_array_is_no_archive(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(DataError, match="as a NumPy archive"):
        read_npz(str(tmp_path / "a.npz"))


def test_objects_are_refused(tmp_path, arrays):
    np.savez(tmp_path / "objects.npz", **{**arrays, "y_test": np.array([{}] * 6)})
    with pytest.raises(DataError, match="Object arrays cannot be loaded"):
        read_npz(str(tmp_path / "objects.npz"))
