from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evonas.data.resize import CHUNK, resize


def test_same_size_is_the_same_tensor():
    images = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    assert resize(images, 4) is images


def test_halving_by_hand():
    # Triangle filter of support 2 about the center of two pixels: weights 1/8, 3/8, 3/8, 1/8 inside,
    # at the border 3/7, 3/7, 1/7, that they sum to 1.
    row = torch.tensor([0.0, 7.0, 14.0, 70.0])
    images = row.expand(1, 1, 4, 4)
    expected = torch.tensor([(3 * 0 + 3 * 7 + 14) / 7, (7 + 3 * 14 + 3 * 70) / 7])
    torch.testing.assert_close(resize(images, 2)[0, 0, 0], expected)
    assert resize(images.to(torch.uint8), 2)[0, 0, 1].tolist() == [5, 37]


@given(value=st.integers(0, 255), size=st.integers(1, 12), resolution=st.integers(1, 12))
def test_constant_images_stay_constant(value, size, resolution):
    images = torch.full((2, 3, size, size), value, dtype=torch.uint8)
    result = resize(images, resolution)
    assert result.shape == (2, 3, resolution, resolution)
    assert result.dtype == torch.uint8
    assert torch.all(result == value)


@pytest.mark.parametrize("turn", [False, True])
def test_longer_side_is_cropped_to_the_center(turn):
    images = torch.arange(6, dtype=torch.uint8).expand(1, 1, 4, 6)
    result = resize(images.transpose(2, 3) if turn else images, 4)
    result = result.transpose(2, 3) if turn else result
    assert result[0, 0].tolist() == [[1, 2, 3, 4]] * 4


def test_chunks_do_not_show():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (CHUNK + 3, 1, 4, 4), generator=generator, dtype=torch.uint8)
    result = resize(images, 3)
    assert torch.equal(result[CHUNK - 2 :], resize(images[CHUNK - 2 :], 3))


def test_floats_stay_floats_and_agree_with_uint8():
    images = torch.randint(0, 256, (3, 2, 9, 9), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    real = resize(images.float(), 5)
    assert real.dtype == torch.float32
    assert (real - resize(images, 5).float()).abs().max() <= 0.5
