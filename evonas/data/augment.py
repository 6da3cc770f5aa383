"""Random crops, flips and cutouts as tensor code over a whole batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from evonas.errors import SettingsError
from evonas.files.size import Size, height_width


@dataclass(frozen=True)
class Augment:
    """Random changes of training images that keep their labels.

    Attributes:
        crop: Pixels by which an image may be shifted each way (He et al. 2016, section 4.2: 4 at 32 pixels);
            0: none.
        flip: Whether to mirror an image left to right with probability 1/2.
        cutout: Side in pixels of the square that is blotted out, its center anywhere in the image (DeVries
            and Taylor 2017, arXiv 1708.04552: 16 at 32 pixels); 0: none.
        padding: What a shifted image shows beyond its border: "zero" or its own reflection, "reflect".
        fill: Value of the blotted square, one for all channels or one for each, in the unit of the images.
    """

    crop: int = 0
    flip: bool = False
    cutout: int = 0
    padding: Literal["zero", "reflect"] = "zero"
    fill: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        if self.crop < 0 or self.cutout < 0:
            raise SettingsError(f"Expected crop and cutout of at least 0 pixels, got {self.crop} and {self.cutout}")
        if self.padding not in ("zero", "reflect"):
            raise SettingsError(f"Expected padding 'zero' or 'reflect', got '{self.padding}'")

    def __call__(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return changed copies of the images.

        Args:
            images: Any type, any device, shape (n, c, h, w).
            generator: The only source of randomness. One on the CPU gives the same changes on every device.

        Raises:
            SettingsError: `crop` does not fit the images.
        """
        images = self._shift(images, generator) if self.crop or self.flip else images
        return self._blot(images, generator) if self.cutout else images

    def _shift(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        n, channels, height, width = images.shape
        if self.crop >= min(height, width):
            raise SettingsError(
                f"Expected a crop below the images' side of {min(height, width)} pixels, got {self.crop}"
            )
        down, right = (_integers(-self.crop, self.crop + 1, n, generator, images.device) for _ in range(2))
        rows = torch.arange(height, device=images.device) + down[:, None]
        columns = torch.arange(width, device=images.device) + right[:, None]
        if self.flip:
            mirrored = _integers(0, 2, n, generator, images.device).bool()
            columns = torch.where(mirrored[:, None], columns.flip(1), columns)
        # One gather does crop and flip together; reflecting the indices saves padding the images.
        indices = _reflect(rows, height)[:, :, None] * width + _reflect(columns, width)[:, None, :]
        indices = indices.view(n, 1, height * width).expand(n, channels, -1)
        shifted = images.flatten(2).gather(2, indices).view_as(images)
        if self.padding == "reflect" or not self.crop:
            return shifted
        inside = _within(rows, height)[:, :, None] & _within(columns, width)[:, None, :]
        return shifted.masked_fill_(~inside[:, None], 0)

    def _blot(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        n, _, height, width = images.shape
        rows = _integers(0, height, n, generator, images.device)[:, None] - self.cutout // 2
        columns = _integers(0, width, n, generator, images.device)[:, None] - self.cutout // 2
        in_rows = _within(torch.arange(height, device=images.device) - rows, self.cutout)
        in_columns = _within(torch.arange(width, device=images.device) - columns, self.cutout)
        square = in_rows[:, None, :, None] & in_columns[:, None, None, :]
        fill = torch.tensor(self.fill, dtype=images.dtype, device=images.device).view(1, -1, 1, 1)
        return torch.where(square, fill, images)


def mirrors(source_mirrors: bool, channels: int, asked: bool | None) -> bool:
    """Return whether images are mirrored in training.

    Args:
        source_mirrors: Whether mirrored images of the source keep their labels, as far as its reader knows.
        channels: Of the images by themselves: gray ones are scans, characters or spectrograms more often than photos.
        asked: What a person says; None: nothing.
    """
    return source_mirrors and channels > 1 if asked is None else asked


def default_augment(resolution: Size, *, mirror: bool, fill: tuple[float, ...]) -> Augment:
    """Return what suits most data: shifts by an eighth of the side, flips where these keep the class.

    Args:
        resolution: Size of the images; the shorter side counts.
        mirror: Whether to flip.
        fill: What a cutout would show, were it switched on.
    """
    # On a side of 8 pixels a shift by one changes more than it teaches.
    side = min(height_width(resolution))
    return Augment(crop=side // 8 if side >= 16 else 0, flip=mirror, fill=fill)


def _integers(low: int, high: int, n: int, generator: torch.Generator, device: torch.device) -> torch.Tensor:
    return torch.randint(low, high, (n,), generator=generator, device=generator.device).to(device)


def _reflect(index: torch.Tensor, size: int) -> torch.Tensor:
    return (size - 1) - ((size - 1) - index.abs()).abs()


def _within(index: torch.Tensor, size: int) -> torch.Tensor:
    return (index >= 0) & (index < size)
