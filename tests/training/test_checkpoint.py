from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from evonas.errors import TrainingError
from evonas.training import digest, read_checkpoint, write_checkpoint


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "own.safetensors"
    tensors = {"a": torch.rand(2, 3).T, "b": torch.tensor(5)}
    write_checkpoint(path, tensors, {"loss": 0.1 + 0.2})
    found, header = read_checkpoint(path)
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    assert header["loss"] == 0.1 + 0.2
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_colleagues_may_read_a_checkpoint(tmp_path: Path) -> None:
    path, old = tmp_path / "own.safetensors", os.umask(0o022)
    try:
        write_checkpoint(path, {"a": torch.zeros(1)}, {})
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_failure_leaves_the_one_before(tmp_path: Path, full_disk: Callable[[], AbstractContextManager[None]]) -> None:
    path = tmp_path / "own.safetensors"
    write_checkpoint(path, {"a": torch.zeros(1)}, {})
    with full_disk(), pytest.raises(TrainingError, match="File too large"):
        write_checkpoint(path, {"a": torch.ones(1)}, {})
    assert torch.equal(read_checkpoint(path)[0]["a"], torch.zeros(1))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    with pytest.raises(TrainingError, match="no such file"):
        read_checkpoint(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(TrainingError, match="another safetensors file"):
        read_checkpoint(path)
    write_checkpoint(path, {"a": torch.zeros(1)}, {}, kind="supernet")
    with pytest.raises(TrainingError, match="another safetensors file"):
        read_checkpoint(path)
    assert "a" in read_checkpoint(path, kind="supernet")[0]
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(TrainingError, match="damaged"):
        read_checkpoint(path, kind="supernet")


def test_digests_tell_weights_apart() -> None:
    first, second = nn.Linear(3, 2), nn.Linear(3, 2)
    second.load_state_dict(first.state_dict())
    assert digest(first) == digest(second)
    with torch.no_grad():
        second.bias[0] += 1e-3
    assert digest(first) != digest(second)
