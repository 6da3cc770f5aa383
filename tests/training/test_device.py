from __future__ import annotations

import pytest
import torch
from torch import nn

from evonas.errors import SettingsError
from evonas.training import mixed_precision, resolve_device, to_device


def test_names(monkeypatch: pytest.MonkeyPatch) -> None:
    # A machine with and without CUDA.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("cpu") == resolve_device("auto") == torch.device("cpu")
    with pytest.raises(SettingsError, match="torch sees no CUDA devices"):
        resolve_device("cuda")
    # A machine with and without CUDA.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda")
    assert resolve_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(SettingsError, match="torch sees 2 CUDA devices"):
        resolve_device("cuda:2")


def test_a_device_is_kept() -> None:
    assert resolve_device(torch.device("meta")) == torch.device("meta")


@pytest.mark.parametrize("name", ["cdua", "cuda:x", "", "tpu", "cpu:1"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(SettingsError, match="expected auto, cpu or cuda"):
        resolve_device(name)


def test_placing_keeps_the_values() -> None:
    conv = nn.Conv2d(3, 4, 3)
    before = conv.weight.detach().clone()
    placed = to_device(conv, torch.device("cpu"))
    assert torch.equal(placed.weight, before)
    assert placed.weight.is_contiguous(memory_format=torch.channels_last)


def test_the_cpu_stays_in_float32() -> None:
    with mixed_precision(torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
