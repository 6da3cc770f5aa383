from __future__ import annotations

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evonas.data.parquet import read_parquet
from evonas.errors import DataError, MissingExtraError

LABELS = [i % 3 for i in range(24)]


def test_reads_images_labels_and_names(tmp_path, cells, arrays, write_parquet):
    write_parquet(tmp_path / "train.parquet", cells, LABELS, names=["ant", "bee", "cat"])
    write_parquet(tmp_path / "test.parquet", cells[:3], LABELS[:3])
    source = read_parquet(str(tmp_path))
    assert source is not None
    assert source.name == tmp_path.name
    assert source.classes == ("ant", "bee", "cat")
    assert source.train.native() == (3, 6)
    assert source.train.labels.tolist() == LABELS
    assert len(source.test or ()) == 3
    assert np.array_equal(source.train.read(np.arange(24), 3, 6), arrays["x_train"].transpose(0, 3, 1, 2))


def test_hub_snapshot_layout(tmp_path, cells, write_parquet):
    for shard in range(2):
        name = f"train-0000{shard}-of-00002.parquet"
        rows = slice(12 * shard, 12 * shard + 12)
        write_parquet(tmp_path / "data" / name, cells[rows], LABELS[rows], image="image")
    write_parquet(tmp_path / "data" / "validation-00000-of-00001.parquet", cells[:2], [0, 1], image="image")
    source = read_parquet(str(tmp_path))
    assert source is not None
    assert source.classes == ("0", "1", "2")
    assert source.train.labels.tolist() == LABELS
    assert len(source.test or ()) == 2


def test_test_comes_before_validation_and_none_is_none(tmp_path, cells, write_parquet):
    write_parquet(tmp_path / "train.parquet", cells, LABELS)
    source = read_parquet(str(tmp_path))
    assert source is not None
    assert source.test is None
    write_parquet(tmp_path / "validation.parquet", cells[:2], LABELS[:2])
    write_parquet(tmp_path / "test.parquet", cells[:5], LABELS[:5])
    assert len(read_parquet(str(tmp_path)).test) == 5


def test_bare_bytes_and_paths(tmp_path, cells):
    (tmp_path / "a.png").write_bytes(cells[0])
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = [{"bytes": None, "path": "a.png"}, {"bytes": cells[1], "path": None}]
    pq.write_table(pa.table({"image": pa.array(rows, kind), "label": [0, 1]}), tmp_path / "train.parquet")
    pq.write_table(pa.table({"img": cells[:2], "label": [0, 1]}), tmp_path / "test.parquet")
    source = read_parquet(str(tmp_path))
    assert source is not None
    assert source.test is not None
    assert np.array_equal(source.train.digests(), source.test.digests())


@pytest.mark.parametrize("make", [False, True])
def test_other_sources_are_not_its_own(tmp_path, make):
    if make:
        (tmp_path / "x").mkdir()
    assert read_parquet(str(tmp_path / "x")) is None


def table(**columns: object) -> pa.Table:
    return pa.table(columns)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"picture": [b"x"], "label": [0]},
            "Expected a column 'img' or 'image' in 'train.parquet', it holds picture",
        ),
        (
            {"img": [b"x"], "kind": [0]},
            "Expected a column 'label' or 'labels' in 'train.parquet', it holds img, kind",
        ),
        (
            {"img": ["x"], "label": [0]},
            "Expected the images as a struct of bytes and path, got string: write encoded",
        ),
        ({"img": [b"x"], "label": ["ant"]}, "column 'label' of 'train.parquet' to be integers of shape"),
        (
            {"img": [b"x", b"y"], "label": [0, None]},
            "a label in every row of 'train.parquet', 1 are null: drop",
        ),
        ({"img": [b"x", None], "label": [0, 1]}, "Row 1 of train.parquet holds no image .* drop the row"),
    ],
)
def test_bad_columns(tmp_path, columns, message):
    pq.write_table(table(**columns), tmp_path / "train.parquet")
    with pytest.raises(DataError, match=message):
        read_parquet(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"PAR1 torn"])
def test_unreadable(tmp_path, content):
    (tmp_path / "train.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"^Cannot read '.*train\.parquet' as parquet .*: download or write it again$"):
        read_parquet(str(tmp_path))


def test_no_training_file(tmp_path, cells, write_parquet):
    write_parquet(tmp_path / "test.parquet", cells, LABELS)
    with pytest.raises(DataError, match=r"^Expected train\*\.parquet in '.*', got parquet files of other names"):
        read_parquet(str(tmp_path))


def test_several_data_sets(tmp_path, cells, write_parquet):
    for name in ("coarse", "fine"):
        write_parquet(tmp_path / name / "train.parquet", cells, LABELS)
    with pytest.raises(DataError, match=r"got 2 folders of train\*\.parquet: name one, such as '.*coarse'"):
        read_parquet(str(tmp_path))


def test_missing_pyarrow(tmp_path, monkeypatch):
    (tmp_path / "train.parquet").touch()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"needs the package 'pyarrow'"):
        read_parquet(str(tmp_path))
