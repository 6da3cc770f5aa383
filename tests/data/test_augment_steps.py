"""Steps of augmentation: each against Pillow or its definition, and texts that name them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from evonas.data.augment_steps import STEPS, ColorJitter, RandomResizedCrop, Rotation, make_steps, parse_steps
from evonas.data.image_operations import (
    brightened,
    contrasted,
    equalized,
    hue_turned,
    saturated,
    sharpened,
    stretched,
    warped,
)
from evonas.data.mixing import CutMix, MixUp
from evonas.data.rand_augment import OPERATIONS, RandAugment
from evonas.errors import SettingsError


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(n: int = 16, channels: int = 3, height: int = 12, width: int = 16) -> torch.Tensor:
    return torch.randint(20, 230, (n, channels, height, width), generator=seeded(9), dtype=torch.uint8)


def of_pillow(images: torch.Tensor, change) -> np.ndarray:
    """Return what Pillow makes of each image."""
    arrays = images.numpy().transpose(0, 2, 3, 1)
    return np.stack([np.asarray(change(Image.fromarray(array))) for array in arrays]).transpose(0, 3, 1, 2)


@pytest.mark.parametrize("name", [name for name in STEPS if name not in ("mixup", "cutmix")])
@pytest.mark.parametrize("channels", [1, 3])
def test_steps_are_deterministic_keep_shape_and_type_and_change_something(name, channels):
    images = noise(8, channels, 16, 16)
    before, step = images.clone(), STEPS[name]()
    once, again = step(images, seeded(3)), step(images, seeded(3))
    assert torch.equal(once, again)
    assert torch.equal(images, before)
    assert (once.shape, once.dtype) == (images.shape, images.dtype)
    assert not torch.equal(once, images)
    assert not torch.equal(once, step(images, seeded(4)))


@pytest.mark.parametrize("factor", [0.1, 0.6, 1.0, 1.9])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (brightened, ImageEnhance.Brightness), (contrasted, ImageEnhance.Contrast), (saturated, ImageEnhance.Color),
        (sharpened, ImageEnhance.Sharpness),
    ],
)  # fmt: skip
def test_factors_are_those_of_pillow(ours, theirs, factor):
    images = noise()
    found = ours(images.float(), torch.full((16,), factor)).round().numpy()
    expected = of_pillow(images, lambda image: theirs(image).enhance(factor))
    assert np.abs(found - expected).max() <= 2  # Pillow rounds gray and mean to whole numbers first


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (stretched, ImageOps.autocontrast),
        (equalized, ImageOps.equalize),
        (lambda x: OPERATIONS["solarize"](x, torch.full((16,), 0.5)), lambda x: ImageOps.solarize(x, 128)),
        (lambda x: OPERATIONS["posterize"](x, torch.full((16,), 1.0)), lambda x: ImageOps.posterize(x, 4)),
    ],
)
def test_operations_on_values_are_those_of_pillow(ours, theirs):
    images = noise(height=20, width=30)
    assert np.abs(ours(images.float()).round().numpy() - of_pillow(images, theirs)).max() <= 1


def test_plain_images_pass_through_what_spreads_values():
    plain = torch.full((2, 3, 8, 8), 7.0)
    assert torch.equal(stretched(plain), plain)
    assert torch.equal(equalized(plain), plain)


def test_a_whole_turn_of_hue_gives_the_image_back_and_none_changes_gray():
    images = noise().float()
    torch.testing.assert_close(hue_turned(images, torch.ones(16)), images, atol=0.05, rtol=0)
    gray = images[:, :1].expand(-1, 3, -1, -1)
    torch.testing.assert_close(hue_turned(gray, torch.full((16,), 0.3)), gray, atol=0.05, rtol=0)


def test_a_warp_by_whole_pixels_is_a_shift_and_a_turn_by_a_right_angle_rot90():
    images = noise(2, 3, 8, 8)
    right = torch.tensor([[1.0, 0, 2 * 2 / 8], [0, 1, 0]]).expand(2, 2, 3)
    assert torch.equal(warped(images, right, "zeros")[:, :, :, :6], images[:, :, :, 2:])
    turned = OPERATIONS["rotate"]  # limits are 30 degrees: three of them make a right angle of a step of 90
    angle = torch.full((2,), 90 / 30.0)
    assert torch.equal(turned(images.float(), angle).round().to(torch.uint8), torch.rot90(images, 1, (2, 3)))


def test_angles_are_kept_in_images_that_are_no_squares():
    images = torch.zeros(1, 1, 21, 41)
    images[:, :, 10, 20:30] = 255.0  # from the center ten pixels to the right
    turned = OPERATIONS["rotate"](images, torch.tensor([90 / 30.0]))
    rows = torch.nonzero(turned[0, 0] > 128)
    assert set(rows[:, 1].tolist()) <= {20}
    assert len(rows) >= 9


def test_crops_have_the_areas_asked_for_and_stay_inside():
    ramp = torch.arange(64, dtype=torch.float32).expand(400, 1, 64, 64).contiguous()
    found = RandomResizedCrop(scale=0.25, ratio=1.0)(ramp, seeded())
    width = (found[:, 0, 0, -1] - found[:, 0, 0, 0] + 1) / 64
    assert 0.45 < float(width.min()) < 0.55
    assert float(width.max()) <= 1.0
    assert abs(float((width**2).mean()) - 0.625) < 0.04  # areas are uniform between a quarter and the whole
    assert float(found.min()) >= 0
    assert float(found.max()) <= 63


def test_jitter_of_nothing_is_nothing_and_flips_mirror_a_share():
    images = noise()
    assert torch.equal(ColorJitter(0, 0, 0, 0)(images, seeded()), images)
    assert torch.equal(Rotation(0)(images, seeded()), images)
    flipped = STEPS["flip"](0.25)(noise(400), seeded())
    same = (flipped == noise(400)).flatten(1).all(1)
    assert 270 < int(same.sum()) < 330
    assert torch.equal(flipped[~same], noise(400)[~same].flip(3))


def test_each_operation_of_rand_augment_is_drawn_and_strength_zero_spares_geometry():
    images = noise(64)
    assert not torch.equal(RandAugment(1, 9)(images, seeded()), images)
    for name in ("rotate", "shear_x", "shear_y", "translate_x", "translate_y", "posterize", "color", "brightness"):
        torch.testing.assert_close(OPERATIONS[name](images.float(), torch.zeros(64)), images.float(), atol=1e-3, rtol=0)
    assert len(OPERATIONS) == 14


def test_mixup_is_a_weighted_mean_and_its_weights_are_beta():
    images = noise().float()
    mixed, partner, weight = MixUp(0.4)(images, seeded(2))
    torch.testing.assert_close(mixed, weight * images + (1 - weight) * images[partner])
    assert sorted(partner.tolist()) == list(range(16))
    generator = seeded(1)
    weights = np.array([MixUp(0.4)(images[:1], generator)[2] for _ in range(1500)])
    assert abs(weights.mean() - 0.5) < 0.03
    assert abs(weights.var() - 1 / (4 * 1.8)) < 0.012  # of Beta(a, a): 1 / (4 (2 a + 1))


def test_cutmix_takes_a_rectangle_and_counts_it():
    images, generator = torch.arange(16.0).view(16, 1, 1, 1).expand(16, 1, 20, 30), seeded(5)
    shares = []
    for _ in range(10):
        mixed, partner, share = CutMix(1.0)(images, generator)
        row = next(i for i in range(16) if int(partner[i]) != i)
        own = mixed[row, 0] == row
        assert torch.equal(mixed[row, 0], torch.where(own, float(row), float(partner[row])))
        assert float(own.float().mean()) == pytest.approx(share, abs=1e-6)
        away = torch.nonzero(~own)
        if len(away):  # the partner's is one rectangle
            height, width = (away.amax(0) - away.amin(0) + 1).tolist()
            assert height * width == len(away)
        shares.append(share)
    assert len(set(shares)) > 5


def test_texts_name_steps_and_options():
    (crop_name, crop), (_, jitter) = parse_steps(["random_resized_crop(0.3, ratio=2)", " color_jitter(hue=0.1) "])
    assert (crop_name, crop.scale, crop.ratio) == ("random_resized_crop", 0.3, 2)
    assert (jitter.hue, jitter.brightness) == (0.1, 0.4)
    steps = make_steps(["flip", "rotation(10)", "mixup(0.2)", "cutmix"], flip=False)
    assert [type(step).__name__ for step in steps.steps] == ["Rotation"]
    assert [type(step).__name__ for step in steps.mixing] == ["MixUp", "CutMix"]
    assert make_steps(["flip"]).mix(noise().float(), seeded()) is None
    assert math.isfinite(steps.mix(noise().float(), seeded())[2])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flipp", "Unknown step 'flipp': .*Did you mean 'flip'"),
        ("rotation(angle=3)", "has the options degrees, got 'angle'"),
        ("rotation(270)", "0 to 180 degrees, got 270"),
        ("rotation(", "such as rotation\\(degrees=0.5\\)|Unknown step"),
        ("mixup('a')", "Expected a number for alpha"),
        ("rand_augment(m=40)", "m of 0 to 30"),
        ("cutmix(0)", "alpha of cutmix above 0"),
        ("color_jitter(__import__('os'))", "Expected a step such as"),
    ],
)
def test_wrong_texts_are_refused_in_one_line(text, words):
    with pytest.raises(SettingsError, match=words):
        parse_steps([text])


def test_what_mixes_labels_comes_last():
    with pytest.raises(SettingsError, match="mixup and cutmix last"):
        parse_steps(["mixup", "flip"])
