"""Continuous targets: reading, checking, splitting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evonas.data import load_data
from evonas.data.targets import as_targets, strata
from evonas.errors import DataError


@pytest.fixture
def brightness():
    """Images of 6 x 6 whose two targets are their brightness and its opposite in other units."""
    rng = np.random.default_rng(0)

    def part(n):
        images = rng.integers(0, 256, (n, 6, 6), dtype=np.uint8)
        mean = images.mean((1, 2)) / 255
        return images, np.stack([mean, 100 - 1000 * mean], axis=1)

    (x_train, y_train), (x_test, y_test) = part(60), part(20)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def test_an_archive_of_floats_is_regression(brightness, tmp_path):
    np.savez(tmp_path / "two.npz", **brightness, target_names=["light", "dark"])
    data = load_data(tmp_path / "two.npz")
    assert (data.task, data.classes) == ("regression", ("light", "dark"))
    assert data.train.labels.shape == (len(data.train), 2)
    assert str(data.train.labels.dtype) == "torch.float32"
    own = data.train.labels.double().numpy()
    assert data.target_mean == pytest.approx(own.mean(0))
    assert data.target_std == pytest.approx(own.std(0))
    np.testing.assert_allclose(data.test.labels, brightness["y_test"], rtol=1e-6)
    np.savez(tmp_path / "one.npz", **brightness | {"y_train": brightness["y_train"][:, 0], "y_test": np.ones(20)})
    assert load_data(tmp_path / "one.npz").classes == ("target",)


def test_labels_stay_classification(arrays, tmp_path):
    np.savez(tmp_path / "labels.npz", **arrays)
    assert load_data(tmp_path / "labels.npz").task == "classification"


def test_parts_have_targets_alike_and_do_not_depend_on_the_order_of_rows(brightness, tmp_path):
    np.savez(tmp_path / "a.npz", **brightness)
    order = np.random.default_rng(1).permutation(60)
    shuffled = {name: brightness[name][order] for name in ("x_train", "y_train")}
    np.savez(tmp_path / "b.npz", **brightness | shuffled)
    a, b = load_data(tmp_path / "a.npz", limit=50), load_data(tmp_path / "b.npz", limit=50)
    for mine, its in ((a.train, b.train), (a.search, b.search), (a.report, b.report)):
        np.testing.assert_array_equal(mine.labels, its.labels)
        assert abs(float(mine.labels[:, 0].mean()) - a.target_mean[0]) < 0.5 * a.target_std[0]
    assert len(a.train) + len(a.search) + len(a.report) == 50


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_train": np.full((60, 2), 0.3)}, "nothing can be learned"),
        ({"y_test": np.zeros((20, 3))}, "as many targets"),
        ({"y_test": np.full(20, np.nan)}, "20 of 20 rows hold NaN"),
        ({"y_test": np.arange(20)}, "Expected y_test of 'x' to be floats"),
        ({"target_names": ["a"]}, "2 different names of targets"),
    ],
)
def test_what_cannot_be_learned_is_refused(brightness, tmp_path, changes, message):
    np.savez(tmp_path / "x.npz", **brightness | changes)
    with pytest.raises(DataError, match=message):
        load_data(tmp_path / "x.npz")


def test_targets_must_be_a_table_of_floats():
    with pytest.raises(DataError, match="shape"):
        as_targets(np.zeros((2, 2, 2)), "y")


@given(st.integers(1, 60), st.integers(1, 3), st.integers(0, 99))
def test_strata_are_quantiles(n, k, seed):
    rng = np.random.default_rng(seed)
    targets, keys = rng.normal(size=(n, k)).astype(np.float32), rng.permutation(n).astype(np.uint64)
    found, names = strata(targets, keys, n)
    counts = np.bincount(found, minlength=len(names))
    assert counts.max() - counts.min() <= 1
    assert len(names) == 1 or counts.min() >= 8
    if k == 1:
        assert (np.diff(found[np.argsort(targets[:, 0])]) >= 0).all()


def write(folder, n, names="file,light", start=0):
    """Write gray images, each of one brightness, and a table of it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [names]
    for i in range(start, start + n):
        Image.new("L", (8, 8), 4 * i).save(folder / f"{i}.png")
        rows.append(f"{i}.png,{4 * i / 255}")
    (folder / "targets.csv").write_text("\n".join(rows))


def test_a_folder_with_a_table_of_targets(tmp_path):
    write(tmp_path / "photos", 40)
    data = load_data(tmp_path / "photos")
    assert (data.task, data.classes, data.in_channels) == ("regression", ("light",), 1)
    assert len(data.train) + len(data.search) + len(data.report) + len(data.test) == 40
    np.testing.assert_allclose(data.test.images[:, 0, 0, 0] / 255, data.test.labels[:, 0], rtol=1e-6)


def test_a_table_beside_the_folder(tmp_path):
    write(tmp_path / "photos", 40)
    (tmp_path / "photos" / "targets.csv").rename(tmp_path / "targets.csv")
    assert load_data(tmp_path / "photos").task == "regression"


def test_folders_of_training_and_test(tmp_path):
    write(tmp_path / "train", 30)
    write(tmp_path / "test", 7, start=30)
    assert len(load_data(tmp_path).test) == 7
    write(tmp_path / "test", 7, names="file,dark", start=30)
    with pytest.raises(DataError, match="light in"):
        load_data(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "got nothing"),
        ("image,light\na.png,1", "got image, light"),
        ("file,light\n", "Found no images"),
        ("file,light\na.png,bright", "line 2"),
        ("file,light\na.png", "line 2.*1 cells, not 2"),
        ("file,light\n0.png,1\nlost.png,2", "names 'lost.png'"),
        ("file,light\n0.png,inf", "NaN or infinity"),
    ],
)
def test_tables_that_make_no_sense_are_refused(tmp_path, text, message):
    write(tmp_path, 3)
    (tmp_path / "targets.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        load_data(tmp_path)
