from __future__ import annotations

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evonas.data.parquet import read_parquet
from evonas.data.read_options import ReadOptions
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
    assert len(source.validation or ()) == 2
    assert source.test is None


def test_test_comes_before_validation_and_none_is_none(tmp_path, cells, write_parquet):
    write_parquet(tmp_path / "train.parquet", cells, LABELS)
    source = read_parquet(str(tmp_path))
    assert source is not None
    assert source.test is None
    write_parquet(tmp_path / "validation.parquet", cells[:2], LABELS[:2])
    write_parquet(tmp_path / "test.parquet", cells[:5], LABELS[:5])
    both = read_parquet(str(tmp_path))
    assert (len(both.test), len(both.validation)) == (5, 2)


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
            {"snapshot": [b"x"], "label": [0]},
            "a column 'img' or 'image' in 'train.parquet', it holds snapshot, label: name it by --image-column",
        ),
        (
            {"img": [b"x"], "kind": [0]},
            "Expected a column 'label' or 'labels' in 'train.parquet', it holds img, kind: name it by --label-column",
        ),
        (
            {"img": [1.5], "label": [0]},
            "Expected the images as a struct of bytes and path, as bytes, or as paths, got double: write encoded",
        ),
        ({"img": [b"x"], "label": [0.5]}, "column 'label' of 'train.parquet' to be integers, booleans or words"),
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
    with pytest.raises(DataError, match=r"^Expected train\*\.parquet or a folder train"):
        read_parquet(str(tmp_path))


def test_several_data_sets(tmp_path, cells, write_parquet):
    for name in ("coarse", "fine"):
        write_parquet(tmp_path / name / "train.parquet", cells, LABELS)
    with pytest.raises(DataError, match=r"got 2 folders of training files: name one, such as '.*coarse'"):
        read_parquet(str(tmp_path))


def test_missing_pyarrow(tmp_path, monkeypatch):
    (tmp_path / "train.parquet").touch()
    # What is installed is a matter of the environment.
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"needs the package 'pyarrow'"):
        read_parquet(str(tmp_path))


def test_folders_of_parts(tmp_path, cells, write_parquet):
    write_parquet(tmp_path / "default" / "train" / "0000.parquet", cells, LABELS)
    write_parquet(tmp_path / "default" / "test" / "0000.parquet", cells[:5], LABELS[:5])
    source = read_parquet(str(tmp_path))
    assert (len(source.train), len(source.test)) == (24, 5)


def test_a_split_of_another_name_is_not_joined(tmp_path, cells, write_parquet):
    write_parquet(tmp_path / "train-00000-of-00001.parquet", cells, LABELS)
    write_parquet(tmp_path / "train_clean-00000-of-00001.parquet", cells, LABELS)
    source = read_parquet(str(tmp_path))
    assert len(source.train) == 24
    assert source.notes == ("Left out 1 parquet files of other splits, such as train_clean-00000-of-00001.parquet",)


def test_a_part_without_labels_is_none(tmp_path, cells, write_parquet):
    write_parquet(tmp_path / "train.parquet", cells, LABELS)
    write_parquet(tmp_path / "test.parquet", cells[:5], [-1] * 5)
    source = read_parquet(str(tmp_path))
    assert source.test is None
    assert source.notes == ("The test part has no labels and is left out",)


def test_words_for_labels_and_columns_by_name(tmp_path, cells, write_parquet):
    words = ["abc"[i] for i in LABELS]
    write_parquet(tmp_path / "train.parquet", cells, words, image="picture", label="target")
    source = read_parquet(str(tmp_path))
    assert source.classes == ("a", "b", "c")
    assert source.train.labels.tolist() == LABELS
    write_parquet(tmp_path / "train.parquet", cells, words, image="scan", label="species")
    source = read_parquet(str(tmp_path), ReadOptions(image_column="scan", label_column="species"))
    assert source.train.labels.tolist() == LABELS
    with pytest.raises(DataError, match=r"column 'specie' .*it holds scan, species: .* Did you mean 'species'"):
        read_parquet(str(tmp_path), ReadOptions(image_column="scan", label_column="specie"))


def test_paths_of_files(tmp_path, cells):
    for i, cell in enumerate(cells):
        (tmp_path / f"{i}.png").write_bytes(cell)
    pq.write_table(table(img=[f"{i}.png" for i in range(24)], label=LABELS), tmp_path / "train.parquet")
    assert len(read_parquet(str(tmp_path)).train.digests()) == 24


def test_rows_are_named_by_part_and_files_elsewhere_are_noted(tmp_path, cells, write_parquet):
    write_parquet(tmp_path / "train" / "0000.parquet", cells, LABELS)
    write_parquet(tmp_path / "test" / "0000.parquet", cells[:5], LABELS[:5])
    write_parquet(tmp_path / "old" / "test-0.parquet", cells[:5], LABELS[:5])
    source = read_parquet(str(tmp_path))
    assert source.train.names[5] == "row 5 of train/0000.parquet"
    assert source.test.names[4] == "row 4 of test/0000.parquet"
    assert any("old/test-0.parquet" in note for note in source.notes)
