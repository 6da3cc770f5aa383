from __future__ import annotations

import pytest
import torch

from evonas.data import load_data
from evonas.data.read_options import ReadOptions
from evonas.errors import DataError


@pytest.fixture
def photos(tmp_path, write_photos):
    """Thirty photos of two classes in training, ten in test."""
    for name in ("ant", "bee"):
        write_photos(tmp_path / "train" / name, 15, size=(40, 40))
        write_photos(tmp_path / "test" / name, 5, size=(40, 40))
    return tmp_path


def tear(path, size=400):
    path.write_bytes(path.read_bytes()[:size])


def test_images_without_a_header_are_skipped_up_to_a_share(photos):
    tear(photos / "train" / "ant" / "003.png", 5)
    tear(photos / "test" / "bee" / "000.png", 0)
    data = load_data(photos, options=ReadOptions(max_skipped=0.05))
    assert len(data.train) + len(data.search) + len(data.report) == 29
    assert len(data.test) == 9
    assert [(one.part, one.name) for one in data.skipped] == [
        ("train", "train/ant/003.png"),
        ("test", "test/bee/000.png"),
    ]
    assert any(note.startswith("Skipped 2 images that cannot be read: train/ant/003.png") for note in data.notes)
    with pytest.raises(DataError, match=r"^2 of 40 images cannot be decoded: .*--max-skipped 5%$"):
        load_data(photos)


def test_images_torn_in_the_middle_are_as_if_they_had_not_been_there(photos):
    torn = photos / "train" / "ant" / "003.png"
    tear(torn)
    options = ReadOptions(max_skipped=0.05)
    data = load_data(photos, options=options)
    assert [(one.part, one.name) for one in data.skipped] == [("train", "train/ant/003.png")]
    assert "truncated" in data.skipped[0].reason
    torn.unlink()
    without = load_data(photos, options=options)
    for part in ("train", "search", "report", "test"):
        assert torch.equal(without.part(part).images, data.part(part).images)


def test_torn_images_of_the_test_part_are_skipped_when_it_is_read(photos):
    tear(photos / "test" / "ant" / "001.png")
    data = load_data(photos, options=ReadOptions(max_skipped=0.1))
    assert data.skipped == ()
    assert data.test.labels.bincount().tolist() == [4, 5]
    with pytest.raises(DataError, match=r"^1 of 10 images cannot be decoded: test/ant/001\.png"):
        assert load_data(photos).test


def test_all_that_cannot_be_read_is_named_at_once(photos):
    tear(photos / "train" / "ant" / "003.png", 5)
    tear(photos / "train" / "bee" / "004.png")
    with pytest.raises(DataError, match=r"^2 of 40 .*: train/ant/003\.png, train/bee/004\.png"):
        load_data(photos, options=ReadOptions(max_skipped=0.03))
