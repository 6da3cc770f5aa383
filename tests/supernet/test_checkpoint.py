from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from evonas.errors import TrainingError
from evonas.supernet import load_weights
from evonas.supernet.checkpoint import WEIGHTS, read_supernet, write_supernet


def saved(path, network):
    tensors = {WEIGHTS + name: value for name, value in network.state_dict().items()}
    write_supernet(path, tensors, {"note": [1, None, "x"], "big": 2**100})


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "folder" / "supernet.safetensors"
    network = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)).double()
    saved(path, network)
    other = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)).double()
    header = load_weights(other, path)
    assert header["note"] == [1, None, "x"]
    assert header["big"] == 2**100
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), other.state_dict().values(), strict=True)
    )
    assert [file.name for file in path.parent.iterdir()] == ["supernet.safetensors"]


def test_a_failed_write_keeps_the_one_before_and_leaves_nothing_behind(tmp_path, full_disk):
    path = tmp_path / "supernet.safetensors"
    saved(path, nn.Linear(2, 2))
    before = path.read_bytes()
    with full_disk(), pytest.raises(TrainingError, match=r"File too large.*the one before is untouched"):
        saved(path, nn.Linear(2, 2))
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_damaged_or_foreign_file_is_refused(tmp_path):
    path = tmp_path / "supernet.safetensors"
    with pytest.raises(TrainingError, match="found no such file"):
        read_supernet(path)
    saved(path, nn.Linear(20, 20))
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(TrainingError, match="is damaged"):
        read_supernet(path)
    path.write_bytes(b"not a checkpoint at all")
    with pytest.raises(TrainingError, match="is damaged"):
        read_supernet(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(TrainingError, match="found another safetensors file"):
        read_supernet(path)
    save_file({"a": torch.zeros(1)}, path, {"evonas.supernet": '{"format": 99}'})
    with pytest.raises(TrainingError, match="Expected a checkpoint of format 1, got 99"):
        read_supernet(path)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (nn.Linear(3, 2), r"'weight' is float32 \(2, 3\) here and float32 \(2, 2\) there"),
        (nn.Linear(2, 2).double(), r"'weight' is float64 \(2, 2\) here and float32 \(2, 2\) there"),
        (nn.Linear(2, 2, bias=False), r"'bias' is missing here and float32 \(2,\) there"),
        (nn.Sequential(nn.Linear(2, 2)), r"'0\.weight' is float32 \(2, 2\) here and missing there, as are 3"),
    ],
)
def test_weights_of_another_network_are_refused_by_name_and_shape(tmp_path, other, message):
    path = tmp_path / "supernet.safetensors"
    saved(path, nn.Linear(2, 2))
    before = [value.clone() for value in other.state_dict().values()]
    with pytest.raises(TrainingError, match=message):
        load_weights(other, path)
    assert all(torch.equal(a, b) for a, b in zip(before, other.state_dict().values(), strict=True))
