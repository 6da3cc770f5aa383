"""Training-free score: a number read off an untrained network and a batch of images."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Literal, TypedDict, Unpack

import torch
from torch import Tensor, nn

from evonas.errors import EvaluationError, SettingsError
from evonas.proxies.forward import Forward

Initialization = Literal["torch", "own"]
Sizes = Literal["scored", "target"]


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Inputs that a proxy is given; proxies of equal skeleton, initialization and batch share forward passes.

    Args:
        skeleton: Name of the space's skeleton that the network is built on.
        initialization: ``"torch"``: the weights of `evonas.proxies.initialize`, torch's defaults drawn from
            the generator; ``"own"``: the proxy sets the weights itself, or does not read them.
        batch: Number of images, the first ones of the training data in file order.
        labels: Whether the images' labels are needed.
        repeats: Number of re-initializations that one score averages over; `evonas.proxies.score_all` makes
            them where the initialization is ``"torch"``.
        canonical: Whether the network is built from the canonical form also where another is given.
        head: Whether the network ends in a classifier even where its skeleton has none.
        sizes: What parameter counts are asked for: ``"scored"``, those of the network that is scored, or ``"target"``,
            those of the network that is searched, which `Forward.target_parameters` holds then; None: none.
    """

    skeleton: str = "small"
    initialization: Initialization = "torch"
    batch: int = 32
    labels: bool = False
    repeats: int = 1
    canonical: bool = False
    head: bool = False
    sizes: Sizes | None = None


class Options(TypedDict, total=False):
    """Options that every proxy takes; see `Proxy`."""

    skeleton: str
    batch: int
    repeats: int


class Proxy(ABC):
    """A training-free score of a stand-alone network.

    A subclass sets the class attributes and writes `measure`. Neither weights, buffers, modes nor hooks of
    the network differ after a score.

    Args:
        skeleton: Another skeleton than the proxy's own.
        batch: Another number of images, >= 2.
        repeats: Another number of re-initializations, >= 1.

    Raises:
        SettingsError: `batch` or `repeats` is out of range.

    Attributes:
        name: What users call it, unique among proxies.
        direction: ``"max"`` where more is better; it holds for `objective`, which is the score itself unless
            the proxy says otherwise.
        unseen: What it cannot see: pattern of names of choices, such as ``"*.sources"`` -> why.
        needs: Network, initialization and batch that the score is meant for.
    """

    name: ClassVar[str]
    direction: ClassVar[Literal["max", "min"]] = "max"
    unseen: ClassVar[Mapping[str, str]] = MappingProxyType({})
    needs: Needs = Needs()

    def __init__(self, **options: Unpack[Options]) -> None:
        self.needs = replace(self.needs, **options)
        if self.needs.batch < 2 or self.needs.repeats < 1:
            raise SettingsError(
                f"expected batch >= 2 and repeats >= 1 of the proxy '{self.name}', "
                f"got {self.needs.batch} and {self.needs.repeats}: raise them"
            )

    def score(
        self,
        network: nn.Module,
        images: Tensor,
        generator: torch.Generator,
        labels: Tensor | None = None,
        *,
        target_parameters: int | None = None,
    ) -> float:
        """Score one network, once with the weights that it has unless the proxy draws its own.

        Args:
            network: Stand-alone network: ``network(images)`` gives logits, shape (n, classes).
            images: Normalized images, shape (n, channels, height, width), n >= 2, float, not all equal.
            generator: Source of all that is random in the score.
            labels: Class of each image, shape (n,), int64; needed where ``needs.labels``.
            target_parameters: Parameters of the network that is searched; needed where ``needs.sizes`` is "target".

        Raises:
            EvaluationError: The network cannot be scored; the message says why.
        """
        return self.read(Forward(network, images, generator, labels, target_parameters))

    def read(self, forward: Forward) -> float:
        """Score the network of a forward pass that other proxies may read too.

        Raises:
            EvaluationError: The network cannot be scored; the message says why.
        """
        try:
            forward.check()
            if self.needs.labels and forward.labels is None:
                raise EvaluationError("expected labels of the images, got none: pass labels")
            value = float(self.measure(forward))
        except EvaluationError as error:
            raise EvaluationError(f"{self.name}: {error}") from error
        except (RuntimeError, ValueError, ArithmeticError) as error:
            cause = " ".join(str(error).split())[:300]
            raise EvaluationError(f"{self.name}: the network failed with {type(error).__name__}: {cause}") from error
        if not math.isfinite(value):
            raise EvaluationError(f"{self.name}: expected a finite score, got {value}: the network overflows")
        return value

    @abstractmethod
    def measure(self, forward: Forward) -> float:
        """Compute the score from a checked forward pass; a value that is not finite counts as a failure."""

    def fitted(self, parameters: Sequence[int]) -> Proxy:
        """Return the proxy for a space, where it has settings that follow from sizes: itself by default.

        Args:
            parameters: Parameter counts, as `needs.sizes` asks for, of random architectures of the space.
        """
        return self

    def objective(self, score: float) -> float:
        """Return the number that a search optimizes in `direction`: the score itself by default."""
        return score
