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


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("split=train/part-0", "split=test/part-0"),
        ("default/partial-train/0000", "default/partial-test/0000"),
        ("cifar10_train", "cifar10_test"),
        ("data-train-00000-of-00001", "data-test-00000-of-00001"),
    ],
)
def test_other_layouts_of_parts(tmp_path, cells, write_parquet, train, test):
    write_parquet(tmp_path / f"{train}.parquet", cells, LABELS)
    write_parquet(tmp_path / f"{test}.parquet", cells[:5], LABELS[:5])
    source = read_parquet(str(tmp_path))
    assert (len(source.train), len(source.test)) == (24, 5)
    assert source.notes == ()


def test_files_of_one_name_are_training(tmp_path, cells, write_parquet):
    for number in range(2):
        write_parquet(tmp_path / f"000{number}.parquet", cells, LABELS)
    source = read_parquet(str(tmp_path))
    assert len(source.train) == 48
    assert source.notes == ("No parquet file is called train: 0000.parquet is taken for training",)
    (tmp_path / "0001.parquet").rename(tmp_path / "extra.parquet")
    with pytest.raises(DataError, match=r"^Expected train\*\.parquet or a folder train"):
        read_parquet(str(tmp_path))


def test_a_file_alone_is_training(tmp_path, cells, write_parquet):
    write_parquet(tmp_path / "train.parquet", cells, LABELS)
    write_parquet(tmp_path / "scans.parquet", cells[:3], [0, 1, 2])
    source = read_parquet(str(tmp_path / "scans.parquet"))
    assert (source.name, len(source.train), source.test) == ("scans", 3, None)


def test_files_of_systems_and_tables_beside_images_are_not_read(tmp_path, cells, write_parquet, write_photos):
    write_parquet(tmp_path / "data" / "train.parquet", cells, LABELS)
    write_parquet(tmp_path / ".cache" / "train.parquet", cells, LABELS)
    (tmp_path / "data" / "._train.parquet").write_bytes(b"junk")
    assert len(read_parquet(str(tmp_path)).train) == 24
    write_parquet(tmp_path / "photos" / "boxes.parquet", cells, LABELS)
    write_parquet(tmp_path / "photos" / "more" / "lines.parquet", cells, LABELS)
    write_photos(tmp_path / "photos" / "ant", 1)
    assert read_parquet(str(tmp_path / "photos")) is None


@pytest.mark.parametrize("columns", [{}, {"label": pa.nulls(3, pa.int64())}])
def test_a_part_whose_labels_are_kept_secret_is_none(tmp_path, cells, write_parquet, columns):
    write_parquet(tmp_path / "train.parquet", cells, LABELS)
    pq.write_table(table(img=cells[:3], **columns), tmp_path / "test.parquet")
    source = read_parquet(str(tmp_path))
    assert source.test is None
    assert source.notes == ("The test part has no labels and is left out",)


def test_columns_without_regard_to_case_and_cells_of_views_and_paths(tmp_path, cells):
    pq.write_table(table(Image=pa.array(cells).cast(pa.binary_view()), Label=LABELS), tmp_path / "train.parquet")
    files = []
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(cells[number])
        files.append({"path": f"{number}.png"})
    pq.write_table(table(jpg=files, cls=["a", "b", "a"]), tmp_path / "paths.parquet")
    source, paths = read_parquet(str(tmp_path / "train.parquet")), read_parquet(str(tmp_path / "paths.parquet"))
    assert paths.classes == ("a", "b")
    assert np.array_equal(source.train.digests()[:3], paths.train.digests())
