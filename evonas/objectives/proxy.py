"""Training-free scores as objectives."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import torch

from evonas.data import resize
from evonas.errors import SettingsError
from evonas.networks import build
from evonas.objectives.evaluator import Context, fingerprint, one_by_one
from evonas.objectives.objective import Objective, Result
from evonas.proxies import initialize, load_proxy
from evonas.spaces import Architecture


class ProxyEvaluator:
    """A training-free score of architectures on the first training images.

    Args:
        context: Space and data.
        name: Name of the proxy.
        **options: Options of the proxy, such as ``repeats=4``.

    Raises:
        SettingsError: No data, or no such proxy.
    """

    def __init__(self, context: Context, name: str, **options: Any) -> None:
        if context.data is None:
            raise SettingsError(f"The training-free score '{name}' needs images: give data")
        self.proxy = load_proxy(name, **options)
        needs = self.proxy.needs
        self.objectives = (Objective(name, "", self.proxy.direction),)
        self.space = context.space
        own = context.space.skeleton(needs.skeleton)
        self.skeleton = own.replace(
            # A proxy network need not see more than it was made for.
            resolution=min(own.resolution, context.data.resolution),
            in_channels=context.data.in_channels,
            classes=len(context.data.classes),
        )
        self._seed, self._device = context.seed, context.device
        self._images = resize(context.data.head(needs.batch), self.skeleton.resolution).to(context.device)
        self._labels = context.data.head_labels(needs.batch).to(context.device) if needs.labels else None
        self.fingerprint = fingerprint(
            "proxy", 1, name, sorted(options.items()), context.seed, context.data.fingerprint,
            context.space.definition.model_dump(), self.skeleton,
        )  # fmt: skip

    def evaluate(self, architectures: Sequence[Architecture]) -> list[dict[str, Result]]:
        """Return the score of each architecture."""
        (objective,) = self.objectives

        def compute(architecture: Architecture) -> dict[str, float]:
            # The seed follows from the architecture, so that a score does not depend on what was scored before.
            seed = self._seed * 2**32 + zlib.crc32(str(architecture).encode())
            generator = torch.Generator(device=self._device).manual_seed(seed)
            network = build(self.space, self.skeleton, architecture, seed=seed).to(self._device)
            if self.proxy.needs.initialization == "torch":
                initialize(network, generator)
            score = self.proxy.score(network, self._images, generator, self._labels)
            return {objective.name: self.proxy.objective(score)}

        return one_by_one(self.objectives, architectures, compute)
