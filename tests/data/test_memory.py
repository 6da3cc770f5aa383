from __future__ import annotations

import numpy as np
import pytest

from evonas.data import load_data
from evonas.data.memory import free_memory, memory_in_words, refuse_too_large
from evonas.errors import DataError


def test_free_memory_is_what_the_system_and_a_limit_leave(monkeypatch):
    system = free_memory()
    assert system is not None
    assert system > 0
    monkeypatch.setattr("resource.getrlimit", lambda _: (2**20, 2**20))  # less than any process of Python has
    assert free_memory() == 0


def test_images_that_do_not_fit_are_refused_before_they_are_decoded(tmp_path, arrays, monkeypatch):
    np.savez(tmp_path / "a.npz", **arrays)
    # What the machine has free.
    monkeypatch.setattr("evonas.data.memory.free_memory", lambda: 200_000_000)
    load_data(tmp_path / "a.npz")
    message = (
        r"^The 24 images of 'a' take 1\.2 GB at 4096 pixels, 0\.2 GB are free: lower .*--train-limit, or .* --lazy$"
    )
    with pytest.raises(DataError, match=message):
        load_data(tmp_path / "a.npz", resolution=4096)


def test_estimates_in_words():
    assert refuse_too_large(1000, 3, 32, "a") == "3.1 MB at 32 px"


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")]
)
def test_memory_that_ends_is_one_sentence(error):
    with pytest.raises(DataError, match=r"^Memory ended while 'a' was read: lower --resolution"), memory_in_words("a"):
        raise error


def test_other_errors_stay():
    with pytest.raises(RuntimeError, match="shapes"), memory_in_words("a"):
        raise RuntimeError("shapes differ")
