"""Named steps of augmentation over whole batches: crops of random size, flips, colors, rotations, RandAugment, cutout.

A step is written as its name, perhaps with options: ``flip``, ``random_resized_crop(0.3)``,
``color_jitter(brightness=0.4, contrast=0.4)``; `parse_steps` reads a list of them.

References:
    .. [Szegedy2015] Szegedy et al.: Going Deeper with Convolutions, CVPR 2015 (crops of random size and shape).
    .. [DeVries2017] DeVries, Taylor: Improved Regularization with Cutout, arXiv 1708.04552.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import torch
from torch import Tensor

from evonas.data.augment import Augment
from evonas.data.image_operations import brightened, contrasted, hue_turned, saturated, warped
from evonas.data.mixing import CutMix, MixUp
from evonas.data.rand_augment import RandAugment
from evonas.errors import SettingsError, suggest

__all__ = ["STEPS", "AugmentStep", "Steps", "make_steps", "parse_steps"]


class AugmentStep(Protocol):
    """A random change of a batch of images that keeps their labels."""

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return changed copies of images.

        Args:
            images: uint8, shape (n, c, h, w), any device.
            generator: The only source of randomness, on the CPU.
        """
        ...


def uniform(low: float, high: float, n: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return n random numbers between two, float32, the same on every device."""
    return (low + (high - low) * torch.rand(n, generator=generator)).to(device)


@dataclass(frozen=True)
class RandomResizedCrop:
    """A part of random size and shape, resized to the whole ([Szegedy2015]_ section 6), bilinear.

    Attributes:
        scale: Least share of the image's area; the largest is all of it.
        ratio: Largest ratio of width to height, as shares of the image's own; the least is its inverse.
    """

    scale: float = 0.08
    ratio: float = 4 / 3

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 1 or self.ratio < 1:
            raise SettingsError(f"Expected a scale in (0, 1] and a ratio from 1 on, got {self.scale} and {self.ratio}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return crops of images."""
        n, device = len(images), images.device
        area = uniform(self.scale, 1.0, n, generator, device)
        ratio = uniform(-math.log(self.ratio), math.log(self.ratio), n, generator, device).exp()
        width, height = (area * ratio).sqrt().clamp(max=1.0), (area / ratio).sqrt().clamp(max=1.0)
        # In the coordinates of a grid, -1 to 1, a part of that size may be shifted by what it leaves.
        x = uniform(-1.0, 1.0, n, generator, device) * (1 - width)
        y = uniform(-1.0, 1.0, n, generator, device) * (1 - height)
        zero = torch.zeros_like(x)
        return warped(images, torch.stack([width, zero, x, zero, height, y], 1).view(n, 2, 3), "border")


@dataclass(frozen=True)
class Flip:
    """The mirrored image, left to right.

    Attributes:
        share: Share of images that are mirrored.
    """

    share: float = 0.5

    def __post_init__(self) -> None:
        _check_share("flip", self.share)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images, some of them mirrored."""
        chosen = uniform(0.0, 1.0, len(images), generator, images.device) < self.share
        return torch.where(chosen[:, None, None, None], images.flip(3), images)


@dataclass(frozen=True)
class Shift:
    """The image shifted each way, zeros beyond its border (He et al. 2016, section 4.2).

    Attributes:
        size: Largest shift as a share of the side.
    """

    size: float = 0.125

    def __post_init__(self) -> None:
        _check_share("shift", self.size, 0.99)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return shifted images."""
        return Augment(crop=round(self.size * min(images.shape[2:])))(images, generator)


@dataclass(frozen=True)
class ColorJitter:
    """Brightness, contrast, saturation and hue changed by random factors, in a random order for each batch.

    Attributes:
        brightness: Largest change of the factor of brightness from 1.
        contrast: Likewise, about the mean of the image.
        saturation: Likewise, about its gray; of color images alone.
        hue: Largest turn of hue, as a share of the whole circle; of color images alone.
    """

    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4
    hue: float = 0.0

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation"):
            _check_share(f"color_jitter's {name}", getattr(self, name))
        _check_share("color_jitter's hue", self.hue, 0.5)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images of other colors."""
        n, device = len(images), images.device
        changes: list[tuple[Callable[[Tensor, Tensor], Tensor], float, float]] = [
            (brightened, 1.0, self.brightness), (contrasted, 1.0, self.contrast), (saturated, 1.0, self.saturation),
            (hue_turned, 0.0, self.hue),
        ]  # fmt: skip
        values = images.float()
        for i in torch.randperm(len(changes), generator=generator).tolist():
            change, middle, most = changes[i]
            factor = uniform(middle - most, middle + most, n, generator, device)
            if most:
                values = change(values, factor)
        return values.round().clamp(0, 255).to(images.dtype)


@dataclass(frozen=True)
class Rotation:
    """The image turned about its center, zeros beyond its border, bilinear.

    Attributes:
        degrees: Largest angle either way.
    """

    degrees: float = 15.0

    def __post_init__(self) -> None:
        if not 0 <= self.degrees <= 180:
            raise SettingsError(f"Expected rotation by 0 to 180 degrees, got {self.degrees:g}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return turned images."""
        angle = uniform(-self.degrees, self.degrees, len(images), generator, images.device) * (math.pi / 180)
        cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
        # The grid's unit is half a side, so that of an image that is no square angles are kept by the sides' ratio.
        ratio = images.shape[2] / images.shape[3]
        matrix = torch.stack([cos, -sin * ratio, zero, sin / ratio, cos, zero], 1)
        return warped(images, matrix.view(-1, 2, 3), "zeros")


@dataclass(frozen=True)
class Cutout:
    """A square blotted out, its center anywhere in the image ([DeVries2017]_).

    Attributes:
        size: Side of the square as a share of the image's.
    """

    size: float = 0.5

    def __post_init__(self) -> None:
        _check_share("cutout", self.size)

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images with a square of zeros each."""
        return Augment(cutout=round(self.size * min(images.shape[2:])))(images, generator)


STEPS: Mapping[str, type] = {
    "random_resized_crop": RandomResizedCrop,
    "shift": Shift,
    "flip": Flip,
    "color_jitter": ColorJitter,
    "rotation": Rotation,
    "rand_augment": RandAugment,
    "cutout": Cutout,
    "mixup": MixUp,
    "cutmix": CutMix,
}
"""Steps by name; ``mixup`` and ``cutmix`` mix labels too and come last."""


@dataclass(frozen=True)
class Steps:
    """Steps one after the other, and perhaps one that mixes images and labels.

    Attributes:
        steps: Those that keep labels.
        mixing: What mixes labels, of normalized images: one of these for each batch, in turn by chance; empty: none.
    """

    steps: tuple[AugmentStep, ...] = ()
    mixing: tuple[MixUp | CutMix, ...] = ()

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return changed copies of images whose labels are kept."""
        for step in self.steps:
            images = step(images, generator)
        return images

    def mix(self, images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, float] | None:
        """Return mixed images, the row of each one's partner and the own label's weight; None: nothing is mixed.

        Args:
            images: Floats, shape (n, c, h, w).
            generator: The only source of randomness, on the CPU.
        """
        if not self.mixing:
            return None
        which = int(torch.randint(len(self.mixing), (1,), generator=generator))
        return self.mixing[which](images, generator)


def parse_steps(texts: Sequence[str]) -> list[tuple[str, Any]]:
    """Return the steps that texts name, in order, each with its name.

    Raises:
        SettingsError: An unknown name or option, a value out of range, or a step that keeps labels after one that
            mixes them.
    """
    found = [_parse(text) for text in texts]
    mixes = [isinstance(step, MixUp | CutMix) for _, step in found]
    if mixes != sorted(mixes):
        raise SettingsError(f"Expected mixup and cutmix last, for they mix labels, got {', '.join(texts)}")
    return found


def make_steps(texts: Sequence[str], *, flip: bool = True) -> Steps:
    """Return steps, ready to use.

    Args:
        texts: As `parse_steps` takes them.
        flip: Whether mirrored images keep their labels; else the step ``flip`` is left out.

    Raises:
        SettingsError: See `parse_steps`.
    """
    steps = [step for name, step in parse_steps(texts) if flip or name != "flip"]
    mixing = tuple(step for step in steps if isinstance(step, MixUp | CutMix))
    return Steps(tuple(step for step in steps if not isinstance(step, MixUp | CutMix)), mixing)


def _parse(text: str) -> tuple[str, Any]:
    """Return the name of a step and the step."""
    name, given = text.strip(), ""
    if text.strip().endswith(")"):
        name, _, given = text.strip()[:-1].partition("(")
    name = name.strip()
    if name not in STEPS:
        raise SettingsError(f"Unknown step '{name}': expected some of {', '.join(STEPS)}.{suggest(name, STEPS)}")
    kind = STEPS[name]
    options = [item.name for item in fields(kind)]
    try:
        call = ast.parse(f"f({given})", mode="eval").body
        assert isinstance(call, ast.Call)
        values = {options[i]: ast.literal_eval(value) for i, value in enumerate(call.args)}
        values |= {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    except (SyntaxError, ValueError, IndexError, AssertionError):
        raise SettingsError(f"Expected a step such as {name}({options[0]}=0.5), got '{text}'") from None
    for key, value in values.items():
        if key not in options:
            raise SettingsError(
                f"Step {name} has the options {', '.join(options)}, got '{key}'.{suggest(key, options)}"
            )
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingsError(f"Expected a number for {key} of step {name}, got {value!r}")
    return name, kind(**values)


def _check_share(what: str, value: float, most: float = 1.0) -> None:
    if not 0 <= value <= most:
        raise SettingsError(f"Expected {what} of 0 to {most:g}, got {value:g}")
