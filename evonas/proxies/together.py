"""Several scores of one network that share what they can: weights and the forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from evonas.errors import EvaluationError
from evonas.proxies.forward import Forward
from evonas.proxies.initialize import initialize, restored
from evonas.proxies.proxy import Needs, Proxy


def score_all(
    proxies: Sequence[Proxy], network: nn.Module, images: Tensor, seed: int, labels: Tensor | None = None
) -> list[float | EvaluationError]:
    """Score a network by several proxies, each as if alone; those with equal needs share one forward pass.

    Unlike `Proxy.score`, it draws the weights that a proxy declares. A score depends on the seed, not on the
    other proxies.

    Args:
        proxies: What to score by; all want the skeleton that the network is built on.
        network: Stand-alone network; it is as before when the call ends.
        images: Normalized images, shape (n, channels, height, width); a proxy sees the first ``needs.batch``.
        seed: Seed of weights and of all else that is random.
        labels: Class of each image, shape (n,), int64; needed by proxies that declare so.

    Returns:
        One score per proxy, or the error that says why there is none.
    """
    passes: dict[Needs, Forward] = {}
    results: list[float | EvaluationError] = [EvaluationError("not scored")] * len(proxies)
    # Grouped, so that a pass finds the weights that it began with.
    order = sorted(range(len(proxies)), key=lambda place: proxies[place].needs.initialization)
    with restored(network):
        for place in order:
            proxy = proxies[place]
            generator = torch.Generator().manual_seed(seed)
            needs = replace(proxy.needs, labels=False)
            batch = needs.batch
            try:
                if len(images) < batch:
                    raise EvaluationError(
                        f"{proxy.name}: expected {batch} images, got {len(images)}: pass more images"
                    )
                if needs.initialization == "own":
                    forward = Forward(network, images[:batch], generator, _first(labels, batch))
                elif needs in passes:
                    forward = passes[needs]
                else:
                    initialize(network, generator)
                    forward = passes[needs] = Forward(
                        network, images[:batch], generator, _first(labels, batch)
                    )
                results[place] = proxy.read(forward)
            except EvaluationError as error:
                results[place] = error
    return results


def _first(labels: Tensor | None, count: int) -> Tensor | None:
    return None if labels is None else labels[:count]
