"""Corruptions against the published definitions, Pillow, and their own promises."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images
from torch import Tensor

from evonas.data.corruptions import KINDS, corrupt
from evonas.data.corruptions.corrupt import CHUNK
from evonas.errors import SettingsError

RANDOM = ("gaussian_noise", "shot_noise", "impulse_noise", "motion_blur", "snow", "frost", "fog", "elastic_transform")
GROWING = tuple(
    kind for kind in KINDS if kind not in ("elastic_transform", "fog", "frost", "glass_blur", "motion_blur")
)
"""Kinds whose published strengths change images more with each severity, small ones and large ones."""


@pytest.fixture(scope="module")
def photos() -> Tensor:
    """Four photos of 64 pixels, shape (4, 3, 64, 64), values from 0 to 1."""
    parts = []
    for image in load_sample_images().images:
        small = Image.fromarray(image).resize((150, 100))
        parts += [np.array(small.crop((x, 20, x + 64, 84))) for x in (0, 70)]
    return torch.from_numpy(np.stack(parts)).permute(0, 3, 1, 2).float() / 255


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (1, 3, 7, 12), (1, 2, 33, 32)])
def test_images_keep_shape_and_range_and_are_the_same_again(kind: str, shape: tuple[int, ...]) -> None:
    """Any size and number of channels works; values are 8-bit steps; a seed means one outcome, another one another."""
    images = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    found = corrupt(images, kind, 5, seed=3)
    assert found.shape == images.shape
    assert bool(((found >= 0) & (found <= 1)).all())
    assert torch.allclose(found * 255, (found * 255).round(), atol=1e-4)
    assert torch.equal(found, corrupt(images, kind, 5, seed=3))
    assert torch.equal(found, corrupt(images, kind, 5, seed=4)) == (
        kind not in RANDOM and (kind != "glass_blur" or min(shape[2:]) < 16)
    )


@pytest.mark.parametrize("kind", GROWING)
def test_a_higher_severity_changes_photos_more(photos: Tensor, kind: str) -> None:
    """The mean change of values grows from 1 over 3 to 5, by the strengths of small and of large images."""
    for images in (photos[:, :, ::2, ::2], photos.repeat(1, 1, 2, 2)):
        changes = [float((corrupt(images, kind, severity) - images).abs().mean()) for severity in (1, 3, 5)]
        assert changes == sorted(changes)
        assert changes[0] > 0


def test_noise_has_the_published_strength(photos: Tensor) -> None:
    """Deviations on gray are those of the definitions: 0.10; sqrt(0.5 / 50); a share of 0.07."""
    gray = torch.full((4, 1, 64, 64), 0.5)
    assert float(corrupt(gray, "gaussian_noise", 5).std()) == pytest.approx(0.10, rel=0.03)
    assert float(corrupt(gray, "shot_noise", 5).std()) == pytest.approx(0.10, rel=0.03)
    hit = corrupt(gray, "impulse_noise", 5)
    assert float(((hit == 0) | (hit == 1)).float().mean()) == pytest.approx(0.07, rel=0.1)
    assert float((hit == 1).float().mean()) == pytest.approx(0.035, rel=0.15)


def test_brightness_and_contrast_are_what_is_published() -> None:
    """Value rises by 0.3 with hue kept; contrast falls to 0.15 about the mean."""
    red = torch.tensor([0.4, 0.2, 0.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    expected = torch.tensor([0.7, 0.35, 0.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    assert torch.allclose(corrupt(red, "brightness", 5), expected, atol=1 / 255)
    halves = torch.cat([torch.full((1, 1, 8, 4), 0.2), torch.full((1, 1, 8, 4), 0.8)], 3)
    found = corrupt(halves, "contrast", 5)
    assert float(found.min()) == pytest.approx(0.5 - 0.3 * 0.15, abs=1 / 255)
    assert float(found.max()) == pytest.approx(0.5 + 0.3 * 0.15, abs=1 / 255)


def test_blurs_leave_a_plain_image_alone() -> None:
    """Kernels have the sum 1 and borders are mirrored."""
    plain = torch.full((2, 1, 40, 40), 102 / 255)
    for kind in ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "pixelate", "elastic_transform"):
        assert torch.equal(corrupt(plain, kind, 5), plain), kind


@pytest.mark.parametrize(("severity", "quality"), [(1, 80), (5, 40)])
def test_jpeg_is_what_pillow_keeps(photos: Tensor, severity: int, quality: int) -> None:
    """Mean distance from Pillow's own file at the same quality is below a third of what JPEG changes."""
    levels = (photos.permute(0, 2, 3, 1) * 255).round().byte().numpy()
    kept = []
    for image in levels:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        kept.append(np.array(Image.open(file)))
    theirs = torch.from_numpy(np.stack(kept)).permute(0, 3, 1, 2).float() / 255
    found = corrupt(photos, "jpeg_compression", severity)
    assert float((found - theirs).abs().mean()) < float((theirs - photos).abs().mean()) / 3


def test_pixelate_is_what_pillow_makes(photos: Tensor) -> None:
    """Boxes down to 65 % of the side and up again, but for Pillow's rounding in between."""
    levels = (photos.permute(0, 2, 3, 1) * 255).round().byte().numpy()
    box = Image.Resampling.BOX
    small = [Image.fromarray(one).resize((int(64 * 0.65),) * 2, box).resize((64, 64), box) for one in levels]
    theirs = torch.from_numpy(np.stack([np.array(one) for one in small])).permute(0, 3, 1, 2).float() / 255
    assert float((corrupt(photos, "pixelate", 5) - theirs).abs().max()) < 1.5 / 255


def test_chunks_differ_and_unknown_severities_are_refused() -> None:
    """Images of a further chunk get noise of their own; severity 6 is none."""
    gray = torch.full((CHUNK + 1, 1, 2, 2), 0.5)
    found = corrupt(gray, "gaussian_noise", 1)
    assert not torch.equal(found[0], found[CHUNK])
    with pytest.raises(SettingsError, match="severity of corruption from 1 to 5, got 6"):
        corrupt(gray, "fog", 6)
