"""Training-free scores as objectives; proxies of equal needs share network and forward pass."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evonas.data.resize import resize
from evonas.errors import EvaluationError, SettingsError
from evonas.files.size import at_most
from evonas.networks import build
from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.proxies import Proxy, load_proxy, score_all
from evonas.spaces import Architecture, Candidate, Skeleton, Space
from evonas.tasks import make_task

SIZES = 200
"""Random architectures whose sizes show a proxy what is large in a space."""
SIZES_SEED = 20240513
"""Of that sample; whatever the search's seed is, a score means the same."""


class Scores:
    """Several training-free scores of architectures.

    Proxies that want the same skeleton score one network; among them, those with equal needs share its forward
    pass. Images are the first ones of the training data in file order, not augmented; proxies that need labels
    see the first ones of the part `train`, which hold every class.

    Args:
        context: Space and data.
        proxies: What to score by.

    Raises:
        SettingsError: No data.
    """

    def __init__(self, context: Context, proxies: Sequence[Proxy]) -> None:
        data = context.data
        if data is None:
            raise SettingsError(
                f"The training-free score '{proxies[0].name}' needs images, got no data: give data, such as digits"
            )
        learned = [proxy.name for proxy in proxies if proxy.needs.labels]
        task = make_task(data)
        if learned and (task.head.answer, task.head.outputs) != ("class", len(data.classes)):
            raise SettingsError(
                f"The training-free score '{learned[0]}' needs labels of classes and an output for each, but "
                f"'{data.name}' is for {task.title}"
            )
        self.context = context
        # Proxies that share skeleton and images.
        self._groups: list[tuple[list[int], Skeleton, Tensor, Tensor | None]] = []
        positions: dict[tuple[str, bool, bool, bool], list[int]] = {}
        for position, proxy in enumerate(proxies):
            needs = proxy.needs
            positions.setdefault((needs.skeleton, needs.labels, needs.head, needs.canonical), []).append(position)
        fitted = list(proxies)
        for (name, labels, head, _), members in positions.items():
            own = context.space.skeleton(name)
            skeleton = own.replace(
                # A proxy network need not see more than it was made for.
                resolution=at_most(data.resolution, own.resolution),
                in_channels=data.in_channels,
                classes=task.head.outputs,
                head=own.head or labels or head,
            )
            for position in members:
                if sizes := proxies[position].needs.sizes:
                    counted = skeleton if sizes == "scored" else context.skeleton
                    fitted[position] = proxies[position].fitted(sampled_sizes(context.space, counted))
            n = max(proxies[position].needs.batch for position in members)
            images = data.normalize(data.train.images[:n]) if labels else data.head(n)
            images = resize(images, skeleton.resolution).to(context.device)
            classes = data.train.labels[:n].to(context.device) if labels else None
            self._groups.append((members, skeleton, images, classes))
        self.proxies = tuple(fitted)

    @property
    def skeletons(self) -> list[Skeleton]:
        """What networks are built on, one for each that some proxies share."""
        return [skeleton for _, skeleton, *_ in self._groups]

    def __call__(self, architecture: Architecture) -> list[float | EvaluationError]:
        """Return a score per proxy, or why there is none.

        The seed follows from the architecture, so that a score does not depend on what was scored before.
        """
        space, device = self.context.space, self.context.device
        # 32 bits, for torch's generator on the CPU takes no more of a seed.
        seed = zlib.crc32(f"{self.context.seed} {architecture}".encode())
        scores: dict[int, float | EvaluationError] = {}
        target = None
        if any(proxy.needs.sizes == "target" for proxy in self.proxies):
            target = parameters(space, self.context.skeleton, architecture)
        architecture = architecture.without_resolution()  # the proxy skeleton's counts
        for members, skeleton, images, labels in self._groups:
            chosen = [self.proxies[position] for position in members]
            try:
                canonical = chosen[0].needs.canonical  # of all of them or of none
                built = space.canonical(architecture) if canonical else architecture
                network = build(space, skeleton, built, seed=seed).to(device)
                found = score_all(chosen, network, images, seed, labels, target_parameters=target)
                scores.update(zip(members, found, strict=True))
            except (RuntimeError, ValueError, ArithmeticError, MemoryError) as error:
                cause = " ".join(f"{type(error).__name__}: {error}".split())[:300]
                scores.update(dict.fromkeys(members, EvaluationError(cause)))
        return [scores[position] for position in range(len(self.proxies))]


def parameters(space: Space, skeleton: Skeleton, architecture: Architecture) -> int:
    """Return how many parameters an architecture's network has, without giving them values."""
    with torch.device("meta"):
        network = build(space, skeleton, architecture)
    return sum(parameter.numel() for parameter in network.parameters())


def sampled_sizes(space: Space, skeleton: Skeleton) -> list[int]:
    """Return the parameter counts of random architectures of a space, the same ones in every search."""
    genomes = space.sample(SIZES, np.random.default_rng(SIZES_SEED))
    return [parameters(space, skeleton, space.canonical(space.decode(genome))) for genome in genomes]


class ProxyEvaluator(Evaluator):
    """A training-free score of architectures on the first training images.

    Args:
        context: Space and data.
        name: Name of the proxy, with options or without.
        **options: Options of the proxy, such as ``repeats=4``.

    Raises:
        SettingsError: No data, or no such proxy.
    """

    def __init__(self, context: Context, name: str, **options: Any) -> None:
        self.scores = Scores(context, [load_proxy(name, **options)])
        (self.proxy,) = self.scores.proxies
        self.objectives = (Objective(name, "", self.proxy.direction),)
        self.fingerprint = scores_fingerprint(self.scores)

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return the score of each architecture."""
        (objective,) = self.objectives

        def compute(architecture: Architecture) -> dict[str, float]:
            (score,) = self.scores(architecture)
            if isinstance(score, EvaluationError):
                raise score
            return {objective.name: self.proxy.objective(score)}

        return one_by_one(self.objectives, candidates, compute)


def scores_fingerprint(scores: Scores, *more: Any) -> str:
    """Return what stands for all that changes scores, and `more`."""
    context = scores.context
    assert context.data is not None
    settings = [(proxy.name, vars(proxy) | {"needs": asdict(proxy.needs)}) for proxy in scores.proxies]
    return fingerprint(
        "proxy", 2, settings, more, context.seed, context.data.fingerprint, context.space.content,
        scores.skeletons,
    )  # fmt: skip
