"""Kinds that are one at tiny sizes, and names of kinds."""

from __future__ import annotations

import pytest
import torch

from evonas.data.corruptions import KINDS, kinds_of, tell_apart
from evonas.errors import SettingsError


def test_eight_pixels_hide_small_blurs_and_nothing_hides_at_thirty_two() -> None:
    """Disk and glass are below a pixel at a side of 8; two severities of pixelate are one."""
    images = torch.rand((8, 1, 32, 32), generator=torch.Generator().manual_seed(0))
    tiny = tell_apart(images[:, :, :8, :8])
    assert set(tiny.unseen) == {"defocus_blur", "glass_blur"}
    assert tiny.repeated["pixelate"] == (2, 4)
    assert tiny.notes()[0] == "Images of this size are left as they are by defocus_blur, glass_blur"
    assert "pixelate at severity 2, 4" in tiny.notes()[1]
    assert tell_apart(images, ["noise", "defocus_blur"]).notes() == []


def test_plain_images_are_alike_under_all_blurs() -> None:
    """What has no structure shows no blur, and black has no contrast to lose."""
    assert set(tell_apart(torch.zeros(2, 1, 32, 32), ["blur", "contrast"]).unseen) == {
        "defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "contrast",
    }  # fmt: skip


def test_names_of_kinds_and_groups() -> None:
    """Groups and kinds mix, in one order; 15 in all; others are refused with the likely one."""
    assert kinds_of(["fog", "noise"]) == ("gaussian_noise", "shot_noise", "impulse_noise", "fog")
    assert kinds_of(["all"]) == tuple(KINDS)
    assert len(KINDS) == 15
    with pytest.raises(SettingsError, match=r"Unknown corruption 'gaussian'.*gaussian_noise"):
        kinds_of(["gaussian"])
    with pytest.raises(SettingsError, match="got none"):
        kinds_of([])
