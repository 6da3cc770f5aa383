from __future__ import annotations

import torch

from evonas.data.pixel_warnings import difference_hashes, pixel_warnings


def noise(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_noise_is_not_warned_of():
    assert pixel_warnings([noise(50), noise(20, seed=1)]) == []
    assert pixel_warnings([]) == ["pixels have 0 different values only: were they scaled?"]


def test_near_duplicates_across_parts_are_counted():
    images = noise(10)
    near = (images.float() * 0.9).round().to(torch.uint8)  # darker copies
    found = pixel_warnings([images, near])
    assert len(found) == 1
    assert int(found[0].split()[0]) >= 8


def test_few_levels_and_plain_images():
    images = noise(10) // 16
    images[3], images[4] = 5, 6
    assert pixel_warnings([images])[:2] == [
        "2 images are of one color alone",
        "pixels have 16 different values only: were they scaled?",
    ]


def test_hashes_are_of_brightness_alone():
    images = noise(4)
    assert difference_hashes(images).shape == (4,)
    assert (difference_hashes(images) == difference_hashes(images[:, [2, 0, 1]])).all()
