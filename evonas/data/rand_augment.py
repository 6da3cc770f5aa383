"""RandAugment: a few operations drawn for each image, all of one strength.

References:
    .. [Cubuk2020] Cubuk et al.: RandAugment, NeurIPS 2020, arXiv 1909.13719.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from evonas.data.image_operations import (
    brightened,
    contrasted,
    equalized,
    saturated,
    sharpened,
    stretched,
    warped,
)
from evonas.errors import SettingsError

__all__ = ["OPERATIONS", "RandAugment"]

STRONGEST = 30
"""Strength at which each operation is at its limit ([Cubuk2020]_ section 4)."""
TURN, SHEAR, MOVE, FACTOR = 30.0, 0.3, 150 / 331, 0.9
"""Limits: degrees; shear; share of a side; change of a factor from 1. That of a shift is 150 pixels of 331."""


def _warp(kind: str) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a shear, shift or turn by a signed strength from -1 to 1."""

    def change(images: Tensor, strength: Tensor) -> Tensor:
        one, zero = torch.ones_like(strength), torch.zeros_like(strength)
        if kind == "rotate":
            angle, ratio = strength * (TURN * math.pi / 180), images.shape[2] / images.shape[3]
            rows = (angle.cos(), -angle.sin() * ratio, zero, angle.sin() / ratio, angle.cos(), zero)
        else:
            shear, move = SHEAR * strength, 2 * MOVE * strength
            rows = {
                "shear_x": (one, shear, zero, zero, one, zero),
                "shear_y": (one, zero, zero, shear, one, zero),
                "translate_x": (one, zero, move, zero, one, zero),
                "translate_y": (one, zero, zero, zero, one, move),
            }[kind]
        return warped(images, torch.stack(rows, 1).view(-1, 2, 3), "zeros")

    return change


def _factor(change: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda images, strength: change(images, 1 + FACTOR * strength)


def _solarized(images: Tensor, strength: Tensor) -> Tensor:
    """Return images whose values from a threshold on are inverted: 255 at strength 0, 0 at 1."""
    threshold = (255 * (1 - strength.abs())).view(-1, 1, 1, 1)
    return torch.where(images >= threshold, 255 - images, images)


def _posterized(images: Tensor, strength: Tensor) -> Tensor:
    """Return images of fewer bits a channel: 8 at strength 0, 4 at 1."""
    step = 2.0 ** torch.round(4 * strength.abs()).view(-1, 1, 1, 1)
    return torch.floor(images / step) * step


OPERATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "identity": lambda images, strength: images,
    "autocontrast": lambda images, strength: stretched(images),
    "equalize": lambda images, strength: equalized(images),
    "rotate": _warp("rotate"),
    "solarize": _solarized,
    "color": _factor(saturated),
    "posterize": _posterized,
    "contrast": _factor(contrasted),
    "brightness": _factor(brightened),
    "sharpness": _factor(sharpened),
    "shear_x": _warp("shear_x"),
    "shear_y": _warp("shear_y"),
    "translate_x": _warp("translate_x"),
    "translate_y": _warp("translate_y"),
}
"""The 14 operations of [Cubuk2020]_ by name: of images as float32 from 0 to 255 and strengths from -1 to 1."""


@dataclass(frozen=True)
class RandAugment:
    """Operations drawn for each image, each of the same strength and a random sign ([Cubuk2020]_ figure 2).

    Attributes:
        n: Operations one after the other.
        m: Their strength, 0 to 30.
    """

    n: int = 2
    m: float = 9

    def __post_init__(self) -> None:
        if not (isinstance(self.n, int) and self.n >= 1 and 0 <= self.m <= STRONGEST):
            raise SettingsError(
                f"Expected rand_augment's n from 1 on and m of 0 to {STRONGEST}, got {self.n}, {self.m}"
            )

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return changed copies of images.

        Args:
            images: uint8, shape (n, c, h, w), any device.
            generator: The only source of randomness, on the CPU.
        """
        values, operations = images.float(), list(OPERATIONS.values())
        for _ in range(self.n):
            drawn = torch.randint(len(operations), (len(images),), generator=generator)
            signs = torch.randint(2, (len(images),), generator=generator) * 2 - 1
            strength = (signs * (self.m / STRONGEST)).to(images.device)
            changed = values.clone()
            for number in sorted(set(drawn.tolist())):
                rows = torch.nonzero(drawn == number)[:, 0].to(images.device)
                changed[rows] = operations[number](values[rows], strength[rows]).round().clamp(0, 255)
            values = changed
        return values.to(images.dtype)
