"""Several scores of one network that share what they can: weights and the forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from evonas.errors import EvaluationError
from evonas.proxies.forward import Forward
from evonas.proxies.initialize import reinitialize, restored
from evonas.proxies.proxy import Needs, Proxy

STEP = 2654435761
"""Between the seeds of two draws of weights: 2^32 over the golden ratio, so that none of them lie close."""


def score_all(
    proxies: Sequence[Proxy],
    network: nn.Module,
    images: Tensor,
    seed: int,
    labels: Tensor | None = None,
    *,
    target_parameters: int | None = None,
) -> list[float | EvaluationError]:
    """Score a network by several proxies, each as if alone; those with equal needs share a forward pass.

    Unlike `Proxy.score`, it draws the weights that a proxy declares, as often as it declares. A score depends
    on the seed, not on the other proxies nor on the network's weights.

    Args:
        proxies: What to score by; all want the skeleton that the network is built on.
        network: Stand-alone network; it is as before when the call ends.
        images: Normalized images, shape (n, channels, height, width); a proxy sees the first ``needs.batch``.
        seed: Seed of weights and of all else that is random.
        labels: Class of each image, shape (n,), int64; needed by proxies that declare so.
        target_parameters: Parameters of the network that is searched; needed by proxies that declare so.

    Returns:
        One score per proxy, or the error that says why there is none.
    """
    groups: dict[Needs, list[int]] = {}
    for index, proxy in enumerate(proxies):
        alike = replace(proxy.needs, labels=False, repeats=1, canonical=False, head=False, sizes=None)
        groups.setdefault(alike, []).append(index)
    results: dict[int, float | EvaluationError] = {}
    with restored(network):
        for needs, indices in groups.items():
            members = [proxies[index] for index in indices]
            batch = images[: needs.batch], None if labels is None else labels[: needs.batch]
            found = _score_group(members, needs, network, *batch, seed, target_parameters)
            results.update(zip(indices, found, strict=True))
    return [results[index] for index in range(len(proxies))]


def _score_group(
    proxies: list[Proxy],
    needs: Needs,
    network: nn.Module,
    images: Tensor,
    labels: Tensor | None,
    seed: int,
    target: int | None,
) -> list[float | EvaluationError]:
    """Score by proxies of equal needs, each averaged over as many weights as it wants unless it draws its own."""
    if len(images) < needs.batch:
        text = f"expected {needs.batch} images, got {len(images)}: pass more images"
        return [EvaluationError(f"{proxy.name}: {text}") for proxy in proxies]
    if needs.initialization == "own":
        return [
            _read(proxy, Forward(network, images, torch.Generator().manual_seed(seed), labels, target))
            for proxy in proxies
        ]
    scores: list[list[float | EvaluationError]] = [[] for _ in proxies]
    for draw in range(max(proxy.needs.repeats for proxy in proxies)):
        # A seed for each draw, so that its weights do not depend on what was read off those before.
        generator = torch.Generator().manual_seed((seed + draw * STEP) % 2**32)
        forward = Forward(reinitialize(network, generator), images, generator, labels, target)
        for proxy, own in zip(proxies, scores, strict=True):
            if draw < proxy.needs.repeats:
                own.append(_read(proxy, forward))
    return [_mean(own) for own in scores]


def _read(proxy: Proxy, forward: Forward) -> float | EvaluationError:
    try:
        return proxy.read(forward)
    except EvaluationError as error:
        return error


def _mean(scores: Sequence[float | EvaluationError]) -> float | EvaluationError:
    """Return the mean, or the first error: the mean of those that happened to score would flatter."""
    total = 0.0
    for score in scores:
        if isinstance(score, EvaluationError):
            return score
        total += score
    return total / len(scores)
