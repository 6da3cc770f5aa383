from __future__ import annotations

import pytest

from evonas.data.folder import read_folder
from evonas.errors import DataError


def test_train_and_test_folders(tmp_path, write_photos):
    for part, count in (("train", 3), ("test", 2)):
        for name in ("bee", "ant"):
            write_photos(tmp_path / part / name, count)
    source = read_folder(str(tmp_path))
    assert source is not None
    assert source.name == tmp_path.name
    assert source.classes == ("ant", "bee")
    # File order takes the classes in turn.
    assert source.train.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert source.train.names[:3] == ["train/ant/000.png", "train/bee/000.png", "train/ant/001.png"]
    assert source.test is not None
    assert source.test.labels.tolist() == [0, 1, 0, 1]


def test_class_folders_alone(tmp_path, write_photos):
    write_photos(tmp_path / "ant", 2, suffix=".JPG")
    write_photos(tmp_path / "bee" / "deeper", 1)
    (tmp_path / "ant" / "notes.txt").write_text("no image")
    (tmp_path / "ant" / "._000.png").write_bytes(b"")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "readme.md").write_text("no class")
    source = read_folder(str(tmp_path))
    assert source is not None
    assert source.classes == ("ant", "bee")
    assert source.train.labels.tolist() == [0, 1, 0]
    assert source.test is None


def test_validation_folder_serves_as_test(tmp_path, write_photos):
    for part in ("train", "val"):
        for name in ("ant", "bee"):
            write_photos(tmp_path / part / name, 1)
    assert len(read_folder(str(tmp_path)).test) == 2


def test_other_sources_are_not_its_own(tmp_path):
    assert read_folder(str(tmp_path / "absent")) is None


@pytest.mark.parametrize("inside", ["", "ant", "train/ant"])
def test_no_images(tmp_path, inside):
    (tmp_path / inside).mkdir(parents=True, exist_ok=True)
    with pytest.raises(DataError, match=r"^Found no images in '.*': expected <class>/\*\.png or \.jpg, .*parquet$"):
        read_folder(str(tmp_path))


def test_empty_class(tmp_path, write_photos):
    write_photos(tmp_path / "ant", 2)
    (tmp_path / "bee").mkdir()
    with pytest.raises(DataError, match=r"^Class folder '.*bee' holds no images: fill or remove it$"):
        read_folder(str(tmp_path))


def test_strange_test_class(tmp_path, write_photos):
    write_photos(tmp_path / "train" / "ant", 1)
    write_photos(tmp_path / "test" / "ants", 1)
    with pytest.raises(
        DataError, match=r"has a class 'ants' that training lacks: make them equal\. Did you mean 'ant'"
    ):
        read_folder(str(tmp_path))
