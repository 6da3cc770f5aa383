"""Common corruption: what is still classified as labeled under noise, blur, weather and digital kinds."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from evonas.data.corruptions.kinds import KINDS, kinds_of
from evonas.errors import EvaluationError, SettingsError
from evonas.objectives.robust.contract import Perturbation

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Corruption", "corruption_errors", "mean_corruption_error", "read_corruption", "with_kinds"]

NAME = "corruption"
BATCH = 512
HELD = 2
"""Sets of images whose corrupted copies are kept, 8 bits a value: those of a search and of its report."""


@dataclass(frozen=True)
class Corruption(Perturbation):
    """Corruptions of some kinds, each image under each kind at severities in turn.

    The image at place i has the severity number i modulo their number, so that one pass over the images for each kind
    reads all severities. All severities of each image are read by `corruption_errors`.

    Attributes:
        kinds: See `evonas.data.corruptions.KINDS`.
        severities: Of 1 to 5.
        named: Whether the kinds stand in the objective's name, else they are a setting's.
    """

    kinds: tuple[str, ...] = tuple(KINDS)
    severities: tuple[int, ...] = (1, 2, 3, 4, 5)
    named: bool = False

    @property
    def text(self) -> str:
        """What is done, in words."""
        what = "all 15 kinds of corruption" if len(self.kinds) == len(KINDS) else ", ".join(self.kinds)
        several = len(self.severities) > 1
        return f"{what}, {'severities' if several else 'severity'} {', '.join(map(str, self.severities))}"

    @property
    def passes(self) -> int:
        """Clean readings of the same images that it costs: one for each kind."""
        return len(self.kinds)

    def check_installed(self) -> None:
        """Nothing is needed."""

    def survivors(self, model: nn.Module, images: Tensor, labels: Tensor, *, seed: int = 0) -> Tensor:
        """Return the share of kinds under which each image is classified as labeled.

        Args:
            model: Takes images in [0, 1] and gives logits; in evaluation mode.
            images: In [0, 1], shape (n, c, h, w).
            labels: Shape (n,).
            seed: Of everything random.

        Returns:
            Floats in [0, 1] of shape (n,).

        Raises:
            EvaluationError: Outputs are not finite.
        """
        import torch

        total = torch.zeros(len(labels), device=labels.device)
        for corrupted in _in_turn(self, images, seed):
            total += _right(model, corrupted, labels).float()
        return total / len(self.kinds)

    def notes(self, images: Tensor) -> list[str]:
        """Return in words which kinds do nothing to images of this size, or the same as others, a sentence each.

        Args:
            images: In [0, 1], shape (n, c, h, w).
        """
        from evonas.data.corruptions import tell_apart

        return tell_apart(images, self.kinds).notes()


_cache: dict[tuple[object, ...], list[Tensor]] = {}


def _in_turn(corruption: Corruption, images: Tensor, seed: int) -> list[Tensor]:
    """Return for each kind the images in steps of 8 bits, at severities in turn; kept for the next network."""
    import torch

    from evonas.data.corruptions import corrupt

    digest = zlib.crc32(images.detach().cpu().contiguous().numpy().tobytes())
    key = (digest, tuple(images.shape), str(images.device), corruption.kinds, corruption.severities, seed)
    if key not in _cache:
        found = []
        for kind in corruption.kinds:
            copy = torch.empty(images.shape, dtype=torch.uint8, device=images.device)
            for number, severity in enumerate(corruption.severities):
                rows = slice(number, None, len(corruption.severities))
                if len(images[rows]):
                    copy[rows] = (corrupt(images[rows], kind, severity, seed=seed) * 255).round().to(torch.uint8)
            found.append(copy)
        while len(_cache) >= HELD:
            _cache.pop(next(iter(_cache)))
        _cache[key] = found
    return _cache[key]


def _right(model: nn.Module, corrupted: Tensor, labels: Tensor) -> Tensor:
    """Return which corrupted images, of 8 bits, are classified as labeled."""
    import torch

    found = []
    with torch.no_grad():
        for start in range(0, len(labels), BATCH):
            logits = model(corrupted[start : start + BATCH].float() / 255)
            if not bool(torch.isfinite(logits).all()):
                raise EvaluationError("Expected finite outputs for corrupted images, got others: train it again")
            found.append(logits.argmax(1) == labels[start : start + BATCH])
    return torch.cat(found)


def corruption_errors(
    model: nn.Module, images: Tensor, labels: Tensor, kinds: Sequence[str] = tuple(KINDS), *, seed: int = 0
) -> dict[str, tuple[float, ...]]:
    """Return the shares of images classified wrongly under each kind at severities 1 to 5.

    Args:
        model: Takes images in [0, 1] and gives logits; in evaluation mode.
        images: In [0, 1], shape (n, c, h, w).
        labels: Shape (n,).
        kinds: See `evonas.data.corruptions.KINDS`.
        seed: Of everything random.

    Raises:
        EvaluationError: Outputs are not finite.
    """
    import torch

    from evonas.data.corruptions import corrupt

    def error(kind: str, severity: int) -> float:
        copy = (corrupt(images, kind, severity, seed=seed) * 255).round().to(torch.uint8)
        return 1.0 - float(_right(model, copy, labels).double().mean())

    return {kind: tuple(error(kind, severity) for severity in range(1, 6)) for kind in kinds}


def mean_corruption_error(
    errors: Mapping[str, Sequence[float]], reference: Mapping[str, Sequence[float]] | None = None
) -> float:
    """Return the mean corruption error of a network.

    With a reference network it is the published one, ``mean_c (sum_s E_sc / sum_s R_sc)`` (Hendrycks and Dietterich
    2019, section 4.1, with AlexNet as reference); without one the plain mean of errors, as is usual on CIFAR-10-C.

    Args:
        errors: Of the network by kind, at each severity, as `corruption_errors` gives them.
        reference: Those of the reference network.

    Raises:
        SettingsError: No kinds, or the reference lacks one or makes no error on one.
    """
    if not errors:
        raise SettingsError("Expected errors of one kind of corruption or more, got none")
    if reference is None:
        return sum(sum(some) / len(some) for some in errors.values()) / len(errors)
    bad = [kind for kind in errors if sum(reference.get(kind, ())) <= 0]
    if bad:
        raise SettingsError(f"Expected a reference network with errors under {', '.join(bad)}, got none there")
    return sum(sum(some) / sum(reference[kind]) for kind, some in errors.items()) / len(errors)


FORM = re.compile(r"([a-z_]+(?:\+[a-z_]+)*)(?:/([1-5](?:-[1-5])?))?")


@lru_cache
def read_corruption(text: str) -> Corruption:
    """Return the corruption that ``corruption`` or ``corruption@KINDS[/SEVERITY]`` stands for.

    Such as ``corruption@noise``, ``corruption@fog+snow``, ``corruption@gaussian_noise/3`` or ``corruption@all/1-3``.

    Raises:
        SettingsError: An unknown kind or group, or another form.
    """
    name, at, arguments = text.partition("@")
    if not at:
        return Corruption()
    match = FORM.fullmatch(arguments)
    if name != NAME or match is None:
        raise SettingsError(
            "Expected corruption@KINDS or corruption@KINDS/SEVERITY, such as corruption@noise, corruption@fog+snow or "
            f"corruption@gaussian_noise/3, got '{text}'"
        )
    kinds = kinds_of(match[1].split("+"))
    low, _, high = (match[2] or "1-5").partition("-")
    severities = tuple(range(int(low), int(high or low) + 1))
    if not severities:
        raise SettingsError(f"Expected severities in order, such as 1-3, got '{text}'")
    return Corruption(kinds, severities, named=True)


def with_kinds(perturbation: Perturbation, names: Sequence[str]) -> Perturbation:
    """Return a perturbation; a corruption whose own name says no kinds has those that a setting names, if any.

    Raises:
        SettingsError: An unknown kind or group.
    """
    if not isinstance(perturbation, Corruption) or perturbation.named or not names:
        return perturbation
    return replace(perturbation, kinds=kinds_of(names))
