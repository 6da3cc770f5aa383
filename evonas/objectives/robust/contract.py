"""Contract of what a robust objective does to images."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Perturbation"]


class Perturbation(Protocol):
    """Change of images, and which of them are still classified as labeled; a frozen dataclass of plain values.

    Its `repr` is part of an evaluator's fingerprint: every value that changes a result is a field. It imports torch
    in `survivors` alone, as names are read without it.
    """

    @property
    @abstractmethod
    def text(self) -> str:
        """What is done, in words, such as ``PGD-10, each pixel by 4/255 at most``."""
        ...

    @property
    @abstractmethod
    def passes(self) -> int:
        """Clean readings of the same images that it costs at most, by count: a gradient counts as two more."""
        ...

    @abstractmethod
    def check_installed(self) -> None:
        """Refuse what needs a package that is not installed.

        Raises:
            MissingExtraError: It is not; the message holds the command that installs it.
        """
        ...

    @abstractmethod
    def survivors(self, model: nn.Module, images: Tensor, labels: Tensor, *, seed: int = 0) -> Tensor:
        """Return of each image whether, or in what share of the changes tried, it is classified as labeled.

        Args:
            model: Takes images in [0, 1] and gives logits; in evaluation mode.
            images: In [0, 1], shape (n, c, h, w).
            labels: Shape (n,).
            seed: Of everything random, which differs from image to image but not from model to model.

        Returns:
            Booleans, or floats in [0, 1], of shape (n,).

        Raises:
            EvaluationError: Outputs are not finite.
        """
        ...
