"""One forward pass of an untrained network, and what proxies read off it, each computed at most once."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor, nn

from evonas.errors import EvaluationError


class Forward:
    """A network, a batch, and the quantities of one forward pass that several proxies share.

    Args:
        network: Stand-alone network: ``network(images)`` gives logits, shape (n, classes).
        images: Normalized images, shape (n, channels, height, width).
        generator: Source of all that is random in a score.
        labels: Class of each image, shape (n,), int64, or None.
    """

    def __init__(
        self, network: nn.Module, images: Tensor, generator: torch.Generator, labels: Tensor | None = None
    ) -> None:
        self.network = network
        self.images = images
        self.generator = generator
        self.labels = labels

    def check(self) -> None:
        """Refuse a batch on which no score means anything.

        Raises:
            EvaluationError: Fewer than two images, images that are not finite or all equal, or labels that do
                not fit them.
        """
        images = self.images
        if images.ndim != 4 or not images.is_floating_point():
            raise EvaluationError(
                "expected float images of shape (n, channels, height, width), "
                f"got {images.dtype} of shape {tuple(images.shape)}: normalize them first"
            )
        if len(images) < 2:
            raise EvaluationError(
                f"expected a batch of at least 2 images, got {len(images)}: pass more images"
            )
        if self._images_fault:
            raise EvaluationError(self._images_fault)
        if self.labels is not None and self.labels.shape != images.shape[:1]:
            raise EvaluationError(
                f"expected one label per image, got labels of shape {tuple(self.labels.shape)} "
                f"for {len(images)} images: pass both from the same rows"
            )

    @cached_property
    def _images_fault(self) -> str:
        if not bool(self.images.isfinite().all()):
            return "expected finite images, got NaN or infinity: check the data and its normalization"
        if bool((self.images == self.images[:1]).all()):
            return "expected images that differ, got copies of one image: pass a batch of real images"
        return ""


def check_logits(logits: Tensor) -> Tensor:
    """Return the logits of a network if all are finite.

    Raises:
        EvaluationError: The network gave something else than a tensor, or NaN or infinity.
    """
    if not isinstance(logits, Tensor):
        raise EvaluationError(
            f"expected a network that returns logits, got {type(logits).__name__}: unpack them"
        )
    if not bool(logits.isfinite().all()):
        raise EvaluationError(
            "expected finite outputs, got NaN or infinity: the untrained network overflows, as one without "
            "normalization may"
        )
    return logits
