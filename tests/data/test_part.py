from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evonas.data.part import Part, batches, count_batches
from evonas.errors import SettingsError


def part_of(n: int) -> Part:
    return Part(torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1), torch.arange(n))


@given(n=st.integers(1, 40), size=st.integers(1, 50), drop=st.booleans(), shuffle=st.booleans())
def test_batches_go_through_a_part_once(n, size, drop, shuffle):
    generator = torch.Generator().manual_seed(1) if shuffle else None
    read = list(batches(part_of(n), size, generator, drop_last=drop))
    assert len(read) == count_batches(n, size, drop_last=drop) >= 1
    labels = torch.cat([labels for _, labels in read])
    assert torch.equal(torch.cat([images for images, _ in read]).flatten().long(), labels)
    assert len(set(labels.tolist())) == len(labels)
    assert len(labels) == (n - n % size if drop and n >= size else n)
    if drop and n >= size:
        assert {len(labels) for _, labels in read} == {size}
    if not shuffle:
        assert labels.tolist() == list(range(len(labels)))


def test_the_generator_decides_the_order():
    def order(seed: int) -> list[int]:
        return torch.cat([y for _, y in batches(part_of(30), 7, torch.Generator().manual_seed(seed))]).tolist()

    assert order(0) == order(0) != order(1)
    assert order(0) == torch.randperm(30, generator=torch.Generator().manual_seed(0)).tolist()


def test_the_generator_is_drawn_from_at_the_call():
    generator = torch.Generator().manual_seed(0)
    first = batches(part_of(30), 30, generator)
    batches(part_of(30), 30, generator)
    assert next(first)[1].tolist() == torch.randperm(30, generator=torch.Generator().manual_seed(0)).tolist()


def test_bad_size():
    with pytest.raises(SettingsError, match="Expected a batch size of at least 1, got 0"):
        batches(part_of(3), 0)
