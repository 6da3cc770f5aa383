from __future__ import annotations

import errno

import pytest

from evonas.deployment.folder import refuse_content, whole_folder
from evonas.errors import ExportError


def test_a_folder_appears_at_the_end(tmp_path):
    out = tmp_path / "deep" / "out"
    with whole_folder(out) as draft:
        (draft / "file").write_text("x")
        assert not out.exists()
    assert (out / "file").read_text() == "x"
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_an_empty_folder_may_be_there(tmp_path):
    (tmp_path / "out").mkdir()
    with whole_folder(tmp_path / "out") as draft:
        (draft / "file").write_text("x")
    assert (tmp_path / "out" / "file").exists()


def test_what_is_there_stays(tmp_path):
    (tmp_path / "file").write_text("x")
    for path, what in ((tmp_path, "a folder that holds something"), (tmp_path / "file", "a file")):
        with pytest.raises(ExportError, match=f"found {what}: choose another --out"):
            refuse_content(path)
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), ExportError, "No space left on the disk of .*out"),
        (PermissionError(errno.EACCES, "Permission denied"), ExportError, "Cannot write .*Permission denied"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
)
def test_an_error_leaves_nothing(tmp_path, error, raised, words):
    def write():
        with whole_folder(tmp_path / "out") as draft:
            (draft / "file").write_text("x")
            raise error

    with pytest.raises(raised, match=words):
        write()
    assert not list(tmp_path.iterdir())
