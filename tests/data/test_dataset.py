from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from evonas.data import Dataset, load_data
from evonas.data.dataset import STD_FLOOR, channel_statistics
from evonas.data.resize import resize


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits")


@given(pixels=hnp.arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(2), st.just(3), st.just(3))))
def test_statistics_are_numpys(pixels):
    mean, std = channel_statistics(torch.from_numpy(pixels.copy()), 255.0)
    values = pixels / 255.0
    np.testing.assert_allclose(mean, values.mean((0, 2, 3)), atol=1e-12)
    np.testing.assert_allclose(std, np.maximum(values.std((0, 2, 3)), STD_FLOOR), atol=1e-12)


def test_constant_channels_get_the_floor():
    assert channel_statistics(torch.full((3, 1, 2, 2), 16, dtype=torch.uint8), 16.0) == ((1.0,), (STD_FLOOR,))


def test_normalize(digits):
    images = digits.train.images
    normal = digits.normalize(images)
    assert normal.dtype == torch.float32
    expected = (images.double() / 16 - digits.mean[0]) / digits.std[0]
    torch.testing.assert_close(normal.double(), expected, atol=1e-5, rtol=0)
    assert abs(float(normal.double().mean())) < 1e-6
    assert abs(float(normal.double().std(correction=0)) - 1) < 1e-6


def test_normalize_leaves_floats_alone(digits):
    images = torch.full((1, 1, 8, 8), 16.0)
    digits.normalize(images)
    assert torch.all(images == 16)


def test_head_is_in_file_order_whatever_the_split(digits):
    head = digits.head(16)
    assert head.shape == (16, 1, 8, 8)
    other = load_data("digits", seed=5, limit=200)
    mean, std = torch.tensor(other.mean), torch.tensor(other.std)
    pixels = (other.head(16) * std + mean) * other.scale
    mine = (head * torch.tensor(digits.std) + torch.tensor(digits.mean)) * digits.scale
    torch.testing.assert_close(pixels, mine, atol=1e-4, rtol=0)
    assert len(digits.head(10**6)) == 1797 - 359


def test_test_part_is_read_when_asked_for(digits):
    data = load_data("digits")
    assert "test" not in vars(data)
    moved = data.to("cpu")
    assert "test" not in vars(moved)
    assert data.test is data.test
    assert torch.equal(data.to("cpu").test.images, data.test.images)
    assert torch.equal(moved.test.images, data.test.images)


def test_to_moves_every_part(digits):
    moved = digits.to("meta")
    assert moved.device == torch.device("meta")
    assert {part.images.device.type for part in (moved.train, moved.search, moved.report, moved.test)} == {"meta"}
    assert moved.fingerprint == digits.fingerprint
    assert digits.train.images.device.type == "cpu"


def test_repr(digits):
    assert repr(digits) == "Dataset(digits: 1x8x8, 10 classes, 863 train, 288 search, 287 report, 359 test)"


def test_another_resolution_keeps_rows_and_normalization(digits):
    small = digits.at(5)
    assert digits.at(digits.resolution) is digits
    for name in ("train", "search", "report", "test"):
        part, resized = getattr(digits, name), getattr(small, name)
        assert resized.images.shape == (len(part), 1, 5, 5)
        assert torch.equal(resized.labels, part.labels)
        torch.testing.assert_close(resized.images, resize(part.images, 5))
    assert (small.mean, small.std, small.scale) == (digits.mean, digits.std, digits.scale)
    assert small.fingerprint != digits.fingerprint
    assert digits.train.images.shape[2:] == (8, 8)
