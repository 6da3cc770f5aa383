from __future__ import annotations

import pytest
import torch

from evonas.runtime.threads import torch_threads


def test_threads_are_put_back_also_after_an_error():
    before = torch.get_num_threads()

    def work():
        with torch_threads(before + 1):
            assert torch.get_num_threads() == before + 1
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        work()
    assert torch.get_num_threads() == before
