from __future__ import annotations

import os

import pytest

from evonas.errors import RunError
from evonas.files.whole import usual_mode, write_whole


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "front.csv"
    write_whole(path, "old\r\nlines\n")
    assert path.read_bytes() == b"old\r\nlines\n"
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(RunError, match=r"Cannot write .*No such file or directory"):
        write_whole(tmp_path / "missing" / "file", "x")


def test_files_have_the_mode_that_the_user_wants(tmp_path):
    old = os.umask(0o027)
    try:
        assert usual_mode() == 0o640
        write_whole(tmp_path / "a", "x")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
