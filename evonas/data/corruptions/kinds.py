"""Kinds of corruption and their published strengths.

Fifteen kinds in four groups at severities 1 to 5. Strengths are those of CIFAR-10-C (32 pixels) for images of a shorter
side below `LARGE` pixels, and those of ImageNet-C (224 pixels) from there on; lengths among them are scaled by the
images' shorter side over 32 or 224, so that a blur of a share of the image stays that share.

References:
    .. [Hendrycks2019] Hendrycks, Dietterich: Benchmarking Neural Network Robustness to Common Corruptions and
       Perturbations, ICLR 2019, arXiv 1903.12261.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from evonas.errors import SettingsError, suggest

__all__ = ["GROUPS", "KINDS", "LARGE", "Strengths", "kinds_of", "strength"]

LARGE = 96
"""Shorter side in pixels from which on strengths are those of ImageNet-C."""
SMALL_SIDE, LARGE_SIDE = 32, 224
"""Sides of the images that the two sets of strengths are published for."""

Values = tuple[float, ...]


class Strengths(NamedTuple):
    """Strengths of a kind at severities 1 to 5.

    Attributes:
        group: Group of the kind.
        small: Of CIFAR-10-C.
        large: Of ImageNet-C.
    """

    group: str
    small: tuple[Values, Values, Values, Values, Values]
    large: tuple[Values, Values, Values, Values, Values]


KINDS: Mapping[str, Strengths] = MappingProxyType(
    {
        # standard deviation
        "gaussian_noise": Strengths(
            "noise", ((0.04,), (0.06,), (0.08,), (0.09,), (0.10,)), ((0.08,), (0.12,), (0.18,), (0.26,), (0.38,))
        ),
        # photons at full brightness
        "shot_noise": Strengths(
            "noise", ((500,), (250,), (100,), (75,), (50,)), ((60,), (25,), (12,), (5,), (3,))
        ),
        # share of values
        "impulse_noise": Strengths(
            "noise", ((0.01,), (0.02,), (0.03,), (0.05,), (0.07,)), ((0.03,), (0.06,), (0.09,), (0.17,), (0.27,))
        ),
        # radius of the disk, deviation of what smooths its edge
        "defocus_blur": Strengths(
            "blur",
            ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
            ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        ),
        # deviation of the blur before and after, reach of a move, moves
        "glass_blur": Strengths(
            "blur",
            ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
            ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
        ),
        # radius, deviation
        "motion_blur": Strengths(
            "blur",
            ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
            ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        ),
        # largest zoom, step
        "zoom_blur": Strengths(
            "blur",
            ((1.05, 0.01), (1.10, 0.01), (1.15, 0.01), (1.20, 0.01), (1.25, 0.01)),
            ((1.10, 0.01), (1.15, 0.01), (1.20, 0.02), (1.25, 0.02), (1.30, 0.03)),
        ),
        # mean and deviation of flakes, zoom, threshold, radius and deviation of their motion, share of the image
        "snow": Strengths(
            "weather",
            (
                (0.1, 0.2, 1, 0.6, 8, 3, 0.95), (0.1, 0.2, 1, 0.5, 10, 4, 0.9), (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
                (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85), (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
            ),
            (
                (0.1, 0.3, 3, 0.5, 10, 4, 0.8), (0.2, 0.3, 2, 0.5, 12, 4, 0.7), (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
                (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65), (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
            ),
        ),
        # weights of image and frost
        "frost": Strengths(
            "weather",
            ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
            ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
        ),
        # weight of the fog, how fast its fine structure fades
        "fog": Strengths(
            "weather",
            ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
            ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
        ),
        # what is added
        "brightness": Strengths(
            "weather", ((0.05,), (0.1,), (0.15,), (0.2,), (0.3,)), ((0.1,), (0.2,), (0.3,), (0.4,), (0.5,))
        ),
        # factor
        "contrast": Strengths(
            "digital", ((0.75,), (0.5,), (0.4,), (0.3,), (0.15,)), ((0.4,), (0.3,), (0.2,), (0.1,), (0.05,))
        ),
        # shares of the side: moves, their smoothness, shear
        "elastic_transform": Strengths(
            "digital",
            ((0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)),
            ((2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02)),
        ),
        # factor of the resolution
        "pixelate": Strengths(
            "digital", ((0.95,), (0.9,), (0.85,), (0.75,), (0.65,)), ((0.6,), (0.5,), (0.4,), (0.3,), (0.25,))
        ),
        # quality
        "jpeg_compression": Strengths(
            "digital", ((80,), (65,), (58,), (50,), (40,)), ((25,), (18,), (15,), (10,), (7,))
        ),
    }
)  # fmt: skip
"""The kinds of [Hendrycks2019]_ section 3 by name, in its order; what their strengths mean stands above each."""
GROUPS = tuple(dict.fromkeys(one.group for one in KINDS.values()))
"""Names of groups, in order."""


def strength(kind: str, severity: int, side: int) -> tuple[Values, float]:
    """Return the strengths of a kind at a severity, and how many pixels a published pixel is.

    Args:
        kind: One of `KINDS`.
        severity: 1 to 5.
        side: The shorter side of the images in pixels.

    Raises:
        SettingsError: The severity is another.
    """
    if severity not in (1, 2, 3, 4, 5):
        raise SettingsError(f"Expected a severity of corruption from 1 to 5, got {severity}")
    found = KINDS[kind]
    large = side >= LARGE
    return (found.large if large else found.small)[severity - 1], side / (LARGE_SIDE if large else SMALL_SIDE)


def kinds_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds that names of kinds and groups mean, each once, in the order of `KINDS`.

    Args:
        names: Kinds, groups such as ``noise``, or ``all``.

    Raises:
        SettingsError: A name that is none, or no name.
    """
    given = list(names)
    known = ("all", *GROUPS, *KINDS)
    for name in given:
        if name not in known:
            raise SettingsError(
                f"Unknown corruption '{name}': expected some of {', '.join(known)}.{suggest(name, known)}"
            )
    if not given:
        raise SettingsError(f"Expected kinds of corruption, got none: name some of {', '.join(known)}")
    return tuple(kind for kind, one in KINDS.items() if {"all", one.group, kind} & set(given))
