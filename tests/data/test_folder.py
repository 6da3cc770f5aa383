from __future__ import annotations

import os
from pathlib import Path

import pytest

from evonas.data.folder import read_folder
from evonas.data.walk import subfolders
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


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (("train", "val"), ("train", "validation")),
        (("Training", "Testing"), ("train", "test")),
        (("seg_train", "seg_test", "seg_dev"), ("train", "test", "validation")),
        (("TrainImages", "ValidImages"), ("train", "validation")),
        (("train", "testing"), ("train", "test")),
    ],
)
def test_parts_by_the_names_that_people_give_them(tmp_path, write_photos, names, parts):
    for part in names:
        for name in ("ant", "bee"):
            write_photos(tmp_path / part / name, 1)
    source = read_folder(str(tmp_path))
    assert source.classes == ("ant", "bee")
    for part in ("train", "validation", "test"):
        images = getattr(source, part)
        assert (images is not None) == (part in parts)
        if images is not None:
            assert len(images) == 2


def test_a_class_may_be_called_like_a_part(tmp_path, write_photos):
    for name in ("test", "tube"):
        write_photos(tmp_path / name, 2)
    assert read_folder(str(tmp_path)).classes == ("test", "tube")


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (("a/ant", "a/bee", "b/ant", "b/bee"), r"hold the same classes \(ant, bee\), .* It holds: a \(ant, bee\); b"),
        (("shapes/ant", "shapes/bee"), r"holds one folder around the data: name '.*shapes'"),
        (("train/ant", "train/bee", "more/ant"), r"holds parts \(train\) and other folders of images \(more\)"),
        (("train/ant", "training/ant"), "one folder a part .*, got train and training"),
        (("test/ant", "test/bee"), "has a folder test and none for training"),
    ],
)
def test_folders_that_may_be_read_in_two_ways_are_refused(tmp_path, write_photos, folders, message):
    for folder in folders:
        write_photos(tmp_path / folder, 2)
    with pytest.raises(DataError, match=message):
        read_folder(str(tmp_path))


def test_what_is_left_out_is_counted_by_reason(tmp_path, write_photos):
    for name in ("ant", "bee"):
        write_photos(tmp_path / name, 2)
        (tmp_path / name / "i.heic").write_bytes(b"ftypheic")
        (tmp_path / name / "notes.txt").write_text("no image")
    (tmp_path / "ant" / "Thumbs.db").write_bytes(b"")
    (tmp_path / "__MACOSX" / "ant").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "ant" / "._0.png").write_bytes(b"")
    source = read_folder(str(tmp_path))
    assert source.classes == ("ant", "bee")
    assert len(source.train) == 4
    assert source.left_out == ((".heic", 2), (".txt", 2), ("system files", 1))
    assert source.notes == ("pip install pillow-heif reads .heic",)


def test_links_to_folders_are_followed_and_loops_end(tmp_path, write_photos):
    write_photos(tmp_path / "elsewhere" / "batch", 3)
    root = tmp_path / "data"
    for name in ("ant", "bee"):
        (root / name).mkdir(parents=True)
        (root / name / "batch1").symlink_to(tmp_path / "elsewhere" / "batch")
    (root / "ant" / "up").symlink_to(root / "ant")
    assert len(read_folder(str(root)).train) == 6


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


def test_images_outside_class_folders_are_counted(tmp_path, write_photos):
    for name in ("ant", "bee"):
        write_photos(tmp_path / "train" / name, 2)
    write_photos(tmp_path / "train", 3)
    write_photos(tmp_path, 1)
    source = read_folder(str(tmp_path))
    assert dict(source.left_out) == {"images outside class folders": 4}


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path, write_photos, monkeypatch):
    for name in ("ant", "bee"):
        write_photos(tmp_path / name, 2)
    inside = tmp_path / "ant" / "locked"
    inside.mkdir()
    real = os.scandir

    def scan(path):  # the tests may run as root, whom permissions don't stop
        if Path(path) == inside:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    # A folder that cannot be listed; root may list all.
    monkeypatch.setattr(os, "scandir", scan)
    with pytest.raises(DataError, match=r"Cannot read the folder '.*locked': Permission denied"):
        read_folder(str(tmp_path))


def test_a_part_may_stand_in_a_folder_of_its_own_name(tmp_path, write_photos):
    for part in ("seg_train", "seg_test"):
        for name in ("ant", "bee"):
            write_photos(tmp_path / part / part / name, 1)
    write_photos(tmp_path / "seg_pred" / "seg_pred", 3)
    source = read_folder(str(tmp_path))
    assert source.classes == ("ant", "bee")
    assert (len(source.train), len(source.test)) == (2, 2)
    assert dict(source.left_out) == {"images without labels": 3}
    assert source.notes == ("The folder seg_pred has no class folders and is left out",)


@pytest.mark.parametrize("bare", ["test", "val/images", "TeSt_Set/test"])
def test_a_part_without_class_folders_is_none(tmp_path, write_photos, bare):
    for name in ("ant", "bee"):
        write_photos(tmp_path / "train" / name / "images", 1)
    write_photos(tmp_path / bare, 2)
    source = read_folder(str(tmp_path))
    assert source.classes == ("ant", "bee")
    assert source.test is source.validation is None
    assert dict(source.left_out) == {"images without labels": 2}


def test_parts_in_class_folders(tmp_path, write_photos):
    for name, parts in (("ant", ("train", "test")), ("bee", ("train", "val", "test"))):
        for count, part in enumerate(parts, start=1):
            write_photos(tmp_path / name / part, count)
    source = read_folder(str(tmp_path))
    assert source.classes == ("ant", "bee")
    assert source.train.names == ["ant/train/000.png", "bee/train/000.png"]
    assert source.validation.labels.tolist() == [1, 1]
    assert source.test.labels.tolist() == [0, 1, 0, 1, 1]


@pytest.mark.parametrize("names", [("train", "test"), ("trainA", "trainB", "testA", "testB")])
def test_parts_without_class_folders_are_no_classes(tmp_path, write_photos, names):
    for name in names:
        write_photos(tmp_path / name, 2)
    with pytest.raises(DataError, match=r"are called parts and hold no class folders: expected train/<class>/\*.*test"):
        read_folder(str(tmp_path))


def test_levels_too_deep_name_the_right_folder(tmp_path, write_photos):
    for part in ("train", "test"):
        for name in ("ant", "bee"):
            write_photos(tmp_path / "archive" / "data" / part / name, 1)
    with pytest.raises(DataError, match=r"holds one folder around the data: name '.*archive.data'$"):
        read_folder(str(tmp_path))


def test_images_without_class_folders_and_other_files_are_told(tmp_path, write_photos):
    for name in ("a", "b"):
        (tmp_path / f"{name}.tar").write_bytes(b"x")
    with pytest.raises(DataError, match=r"^Found no images in '.*', it holds 2 \.tar: expected"):
        read_folder(str(tmp_path))
    write_photos(tmp_path, 2)
    with pytest.raises(DataError, match=r"^Found 2 images and no class folders in '.*': expected"):
        read_folder(str(tmp_path))


def test_a_link_that_leads_back_up_is_no_class(tmp_path, write_photos):
    for name in ("ant", "bee"):
        write_photos(tmp_path / name, 1, suffix=".jfif")
    (tmp_path / "self").symlink_to(tmp_path)
    assert read_folder(str(tmp_path)).classes == ("ant", "bee")
    away = tmp_path.with_name(f"{tmp_path.name}-away")
    away.mkdir()
    (away / "back").symlink_to(tmp_path)
    (tmp_path / "away").symlink_to(away)
    assert subfolders(away) == [away / "back"]
    assert subfolders(tmp_path / "away") == []


def test_data_sets_beside_each_other_are_no_classes(tmp_path, write_photos):
    for part in ("train", "val"):
        for name in ("ant", "bee"):
            write_photos(tmp_path / "images" / part / name, 1)
            (tmp_path / "labels" / part / name).mkdir(parents=True)
    with pytest.raises(DataError, match=r"holds one folder around the data: name '.*images'$"):
        read_folder(str(tmp_path))
    write_photos(tmp_path / "labels" / "train" / "ant", 1)
    write_photos(tmp_path / "labels" / "val" / "ant", 1)
    with pytest.raises(DataError, match=r"hold the same classes \(train, val\), so they are parts"):
        read_folder(str(tmp_path))
