from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evonas.data.augment import Augment, default_augment
from evonas.errors import SettingsError


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(n: int = 64, channels: int = 3, side: int = 8) -> torch.Tensor:
    return torch.randint(1, 256, (n, channels, side, side), generator=seeded(9), dtype=torch.uint8)


def test_nothing_to_do_is_the_same_tensor():
    images = noise()
    assert Augment()(images, seeded()) is images


@given(
    seed=st.integers(0, 1000),
    crop=st.integers(0, 7),
    flip=st.booleans(),
    cutout=st.integers(0, 9),
    padding=st.sampled_from(["zero", "reflect"]),
)
def test_deterministic_and_pure(seed, crop, flip, cutout, padding):
    augment = Augment(crop=crop, flip=flip, cutout=cutout, padding=padding)
    images = noise(8)
    before = images.clone()
    once, again = augment(images, seeded(seed)), augment(images, seeded(seed))
    assert torch.equal(once, again)
    assert torch.equal(images, before)
    assert once.shape == images.shape
    assert once.dtype == images.dtype


@pytest.mark.parametrize("padding", ["zero", "reflect"])
def test_crop_is_a_crop_of_the_padded_image(padding):
    images = noise().float()
    mode = {"zero": "constant", "reflect": "reflect"}[padding]
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2), mode=mode)
    result = Augment(crop=2, padding=padding)(images, seeded())
    shifts = set()
    for image, source in zip(result, padded, strict=True):
        found = [(y, x) for y in range(5) for x in range(5) if torch.equal(image, source[:, y : y + 8, x : x + 8])]
        assert len(found) == 1
        shifts.update(found)
    assert {y for y, _ in shifts} == {x for _, x in shifts} == set(range(5))


def test_flip_mirrors_about_half():
    images = noise(400)
    result = Augment(flip=True)(images, seeded())
    same = (result == images).flatten(1).all(1)
    mirrored = (result == images.flip(3)).flatten(1).all(1)
    assert torch.all(same ^ mirrored)
    assert 150 < int(mirrored.sum()) < 250  # five standard deviations


def test_crop_and_flip_together_flip_the_crop():
    images = noise(200).float()
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1))
    result = Augment(crop=1, flip=True)(images, seeded())
    kinds = set()
    for image, source in zip(result, padded, strict=True):
        crops = {(y, x): source[:, y : y + 8, x : x + 8] for y in range(3) for x in range(3)}
        found = [(p, f) for p, c in crops.items() for f in (0, 1) if torch.equal(image, c.flip(2) if f else c)]
        assert len(found) == 1
        kinds.update(found)
    assert len(kinds) == 18


@pytest.mark.parametrize("side", [1, 3, 4])
def test_cutout_is_a_clipped_square(side):
    images = noise(300, side=8)
    result = Augment(cutout=side)(images, seeded())
    blotted = (result == 0).all(1)
    assert torch.equal(result[~blotted[:, None].expand_as(result)], images[~blotted[:, None].expand_as(result)])
    areas = []
    for mask in blotted:
        rows, columns = mask.any(1), mask.any(0)
        assert torch.equal(mask, rows[:, None] & columns[None, :])
        areas.append((int(rows.sum()), int(columns.sum())))
    seen = set(range((side + 1) // 2, side + 1))  # a center on the border leaves half of the square
    assert {height for height, _ in areas} == {width for _, width in areas} == seen


def test_cutout_fills_each_channel():
    images = torch.full((5, 3, 4, 4), 9.0)
    result = Augment(cutout=9, fill=(1.0, 2.0, 3.0))(images, seeded())
    changed = (result != 9).all(1)
    assert changed.any()
    for channel, value in enumerate((1.0, 2.0, 3.0)):
        assert torch.all(result[:, channel][changed] == value)


def test_defaults():
    assert default_augment(8, mirror=False, fill=(0.0,)) == Augment()
    assert default_augment(16, mirror=False, fill=(0.0,)) == Augment(crop=2)
    assert default_augment(32, mirror=True, fill=(0.0,)) == Augment(crop=4, flip=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop": -1}, "Expected crop and cutout of at least 0 pixels, got -1 and 0"),
        ({"padding": "mirror"}, "Expected padding 'zero' or 'reflect', got 'mirror'"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(SettingsError, match=message):
        Augment(**settings)


def test_crop_beyond_the_image():
    with pytest.raises(SettingsError, match="Expected a crop below the images' side of 8 pixels, got 8"):
        Augment(crop=8)(noise(), seeded())
