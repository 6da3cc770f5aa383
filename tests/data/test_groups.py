"""Groups of images: no split of ours puts one into two parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.data import load_data
from evonas.data.groups import split_groups
from evonas.data.read_options import ReadOptions
from evonas.data.source_readers import find_source
from evonas.errors import DataError

SHARES = (0.5, 0.25, 0.25)


@given(seed=st.integers(0, 50), groups=st.integers(9, 30), data=st.data())
@settings(max_examples=20, deadline=None)
def test_groups_stay_whole_and_rows_may_come_in_any_order(seed, groups, data):
    member = np.array([f"g{i}" for i in data.draw(st.lists(st.integers(0, groups - 1), min_size=60, max_size=60))])
    member = np.concatenate([member, [f"g{i}" for i in range(groups)] * 2])
    labels = np.arange(len(member)) % 2
    parts = split_groups(labels, member, SHARES, ("a", "b"), seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(member)))
    found = [set(member[rows].tolist()) for rows in parts]
    assert sum(map(len, found)) == len(set.union(*found))
    assert all(found)
    order = np.random.default_rng(seed).permutation(len(member))
    again = split_groups(labels[order], member[order], SHARES, ("a", "b"), seed)
    assert [set(member[order][rows].tolist()) for rows in again] == found


def test_parts_have_their_shares_and_another_seed_gives_another_split():
    member = np.repeat([f"g{i}" for i in range(40)], 5)
    labels = np.tile([0, 1, 1, 2, 2], 40)
    first, second = (split_groups(labels, member, SHARES, ("a", "b", "c"), seed) for seed in (0, 1))
    assert [len(rows) for rows in first] == [100, 50, 50]
    assert all(
        np.bincount(labels[rows]).tolist() == [len(rows) // 5, 2 * len(rows) // 5, 2 * len(rows) // 5] for rows in first
    )
    assert set(first[0]) != set(second[0])


def test_too_few_groups_are_an_error_that_says_so():
    with pytest.raises(DataError, match=r"at least 3 groups, one for each part, got 2 \(a, b\)"):
        split_groups(np.array([0, 1] * 4), np.array(["a", "b"] * 4), SHARES, ("x", "y"), 0)


def numbered(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"images": rng.integers(0, 255, (n, 8, 8), np.uint8), "labels": np.arange(n) % 2}


def members(data, source) -> list[set[str]]:
    """Groups of each part of a data set, found again by the images' pixels."""
    held = [source.train, *(one for one in (source.validation, source.test) if one is not None)]
    group = {
        pixels.tobytes(): name
        for images in held
        for pixels, name in zip(images.read(np.arange(len(images)), 1, 8).numpy(), images.groups, strict=True)
    }
    return [
        {group[one.numpy().tobytes()] for one in data.part(p).images} for p in ("train", "search", "report", "test")
    ]


def test_an_archive_is_split_by_groups_into_all_four_parts(tmp_path):
    path = tmp_path / "scans.npz"
    np.savez(path, **numbered(120), patient=np.repeat(np.arange(20), 6))
    options = ReadOptions(group="patient")
    data = load_data(path, options=options)
    found = members(data, find_source(str(path), options))
    assert sum(map(len, found)) == len(set.union(*found)) == 20
    assert data.fingerprint != load_data(path).fingerprint


def test_groups_that_given_parts_share_are_a_warning_with_their_number(tmp_path):
    path, arrays = tmp_path / "scans.npz", numbered(60)
    np.savez(
        path, x_train=arrays["images"][:40], y_train=arrays["labels"][:40], x_test=arrays["images"][40:],
        y_test=arrays["labels"][40:], patient_train=np.repeat(np.arange(10), 4),
        patient_test=np.repeat([8, 9, 10, 11], 5),
    )  # fmt: skip
    options = ReadOptions(group="patient")
    data = load_data(path, options=options)
    assert any(
        line.startswith("2 groups stand in the train part and in the test part") for line in data.inventory.warnings
    )
    train, search, report, test = members(data, find_source(str(path), options))
    assert len(train) + len(search) + len(report) == len(train | search | report)
    assert test == {"8", "9", "10", "11"}


@pytest.mark.parametrize("where", ["inside", "beside"])
def test_a_folder_has_its_groups_in_a_table(tmp_path, where, image_of):
    root = tmp_path / "photos"
    lines = ["path,speaker"]
    for number in range(24):
        file = image_of(root / f"c{number % 2}" / f"{number}.png", number)
        lines.append(f"{file.relative_to(root) if number % 3 else file.name},s{number // 4}")
    (root if where == "inside" else tmp_path).joinpath("speakers.csv").write_text("\n".join(lines))
    source = find_source(str(root), ReadOptions(group="speaker"))
    held = dict(zip(source.train.names, source.train.groups.tolist(), strict=True))
    assert held == {f"c{n % 2}/{n}.png": f"s{n // 4}" for n in range(24)}
    (root if where == "inside" else tmp_path).joinpath("speakers.csv").write_text("\n".join(lines[:-1]))
    with pytest.raises(DataError, match=r"no group of 1 of 24 images, such as c1/23.png"):
        find_source(str(root), ReadOptions(group="speaker"))


def test_parquet_has_its_groups_in_a_column(tmp_path, image_of):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    images = [image_of(tmp_path / "x" / f"{n}.png", n).read_bytes() for n in range(24)]
    table = arrow.table({"image": images, "label": [n % 2 for n in range(24)], "scene": [n // 4 for n in range(24)]})
    (tmp_path / "set").mkdir()
    parquet.write_table(table, tmp_path / "set" / "train.parquet")
    source = find_source(str(tmp_path / "set"), ReadOptions(group="scene"))
    assert source.train.groups.tolist() == [str(n // 4) for n in range(24)]
    with pytest.raises(DataError, match=r"Did you mean 'scene'"):
        find_source(str(tmp_path / "set"), ReadOptions(group="scenes"))


def test_data_without_columns_have_no_groups():
    with pytest.raises(DataError, match="no columns, so no groups by 'patient'"):
        load_data("digits", options=ReadOptions(group="patient"))


def test_a_fold_is_the_test_part(tmp_path, image_of):
    for fold in range(1, 4):
        for number in range(8):
            image_of(tmp_path / f"fold_{fold}" / f"c{number % 2}" / f"{number}.png", 10 * fold + number)
    with pytest.raises(DataError, match="--fold NAME"):
        find_source(str(tmp_path))
    for name in ("2", "fold_2"):
        source = find_source(str(tmp_path), ReadOptions(fold=name))
        assert {one.split("/")[0] for one in source.test.names} == {"fold_2"}
        assert {one.split("/")[0] for one in source.train.names} == {"fold_1", "fold_3"}
        assert len(source.train) == 16
    with pytest.raises(DataError, match=r"got '4': it holds fold_1, fold_2, fold_3"):
        find_source(str(tmp_path), ReadOptions(fold="4"))
