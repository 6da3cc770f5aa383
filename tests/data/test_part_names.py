from __future__ import annotations

import pytest

from evonas.data.part_names import part_of_name, part_of_shard


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train", "train"), ("Training", "train"), ("seg_train", "train"), ("x_train", "train"), ("trainX", "train"),
        ("asl-alphabet-test", "test"), ("TESTING", "test"), ("val", "validation"), ("dev2", "validation"),
        ("ValImages", "validation"), ("trainer", None), ("contest", None), ("train_test", None), ("ant", None),
    ],
)  # fmt: skip
def test_words_are_ended_by_separators_and_capitals(name, part):
    assert part_of_name(name) == part


@pytest.mark.parametrize(
    ("stem", "part"),
    [
        ("train", "train"), ("train-00000-of-00002", "train"), ("train-0", "train"), ("train_1", "train"),
        ("train-00000-of-00001-ab12cd", "train"), ("validation-0", "validation"), ("test.0", "test"),
        ("train_clean-00000-of-00001", None), ("pretrain-0", None), ("0000", None),
    ],
)  # fmt: skip
def test_files_of_other_splits_are_no_part(stem, part):
    assert part_of_shard(stem) == part
