from __future__ import annotations

import pytest
import torch
from torch import nn

from evonas.runtime.modes import device_of, evaluating


def test_every_submodule_returns_to_its_mode_even_after_an_error():
    module = nn.Sequential(nn.ReLU(), nn.BatchNorm2d(2))
    module[1].eval()
    seen = []

    def interrupted():
        with evaluating(module):
            seen.extend(part.training for part in module.modules())
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert seen == [False, False, False]
    assert [part.training for part in module.modules()] == [True, True, False]


def test_device_of_a_module():
    assert device_of(nn.ReLU()) == torch.device("cpu")
    assert device_of(nn.Linear(1, 1, device="meta")) == torch.device("meta")
