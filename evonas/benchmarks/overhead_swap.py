"""The cost of SWAP-Score beside the naive count and beside the forward passes that it cannot spare."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from evonas.benchmarks.stopwatch import peak_bytes, take_turns
from evonas.errors import EvaluationError
from evonas.networks import build
from evonas.proxies import Swap, naive_counts, swap_counts
from evonas.proxies.initialize import batch_statistics
from evonas.spaces import Space


class SwapAmount(Protocol):
    """Amount that is measured; see `evonas.benchmarks.overhead.Amount`."""

    @property
    def genotypes(self) -> int:
        """Architectures that SWAP scores."""

    @property
    def rounds(self) -> int:
        """Scores of each."""

    @property
    def repeats(self) -> int:
        """Re-initializations of a score."""


def swap_overhead(space: Space, images: Tensor, amount: SwapAmount, seed: int) -> dict[str, Any]:
    """Measure SWAP-Score on the proxy skeleton with 16 images.

    Args:
        space: Space of cells.
        images: uint8, shape (n, 3, side, side), n >= 16.
        amount: Genotypes, rounds and re-initializations.
        seed: Of genotypes and weights.

    Returns:
        ``speedup_over_naive``: naive seconds over the score's; ``over_forward``: the score's seconds over those of
        as many bare forward passes; ``peak_bytes`` and ``naive_peak_bytes``; quartiles of the ratios.

    Raises:
        EvaluationError: The counts differ.
    """
    score = Swap(repeats=amount.repeats)
    skeleton = space.skeleton(score.needs.skeleton)
    batch = images[: score.needs.batch].float()
    batch = (batch - batch.mean((0, 2, 3), keepdim=True)) / batch.std((0, 2, 3), keepdim=True)
    speedups, overheads = [], []
    networks = []
    for genome in space.sample(amount.genotypes, np.random.default_rng(seed)):
        network = build(space, skeleton, space.decode(genome), seed=seed)
        networks.append(network)
        _assert_equal(network, batch, amount.repeats, seed)
        seconds = take_turns(
            _parts(score, network, batch, amount.repeats, seed),
            amount.rounds,
            warm=0 if amount.rounds == 1 else 1,
        )
        speedups.append(seconds["naive"] / seconds["score"])
        overheads.append(seconds["score"] / seconds["forward"])
    return {
        "speedup_over_naive": float(np.median(speedups)),
        "speedup_quartiles": np.quantile(speedups, [0.25, 0.75]).tolist(),
        "over_forward": float(np.median(overheads)),
        "over_forward_quartiles": np.quantile(overheads, [0.25, 0.75]).tolist(),
        "peak_bytes": peak_bytes(lambda: score.score(networks[0], batch, _generator(seed))),
        # One re-initialization after the other: a second one needs no more than the first.
        "naive_peak_bytes": peak_bytes(lambda: naive_counts(networks[0], batch, _generator(seed), 1)),
    }


def _parts(score: Swap, network: nn.Module, batch: Tensor, repeats: int, seed: int) -> dict[str, Callable[[], object]]:
    """Return what takes turns on a network; each call draws from a generator of its own."""
    return {
        "score": lambda: score.score(network, batch, _generator(seed)),
        "naive": lambda: naive_counts(network, batch, _generator(seed), repeats),
        "forward": lambda: _forward(network, batch, repeats),
    }


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@torch.no_grad()
def _forward(network: nn.Module, batch: Tensor, repeats: int) -> None:
    with batch_statistics(network):
        for _ in range(repeats):
            network(batch)


def _assert_equal(network: nn.Module, batch: Tensor, repeats: int, seed: int) -> None:
    # In float64, for passes in batches may round a float32 to the other side of zero.
    network, batch = copy.deepcopy(network).double(), batch.double()
    packed = swap_counts(network, batch, _generator(seed), repeats)
    naive = naive_counts(network, batch, _generator(seed), repeats)
    if not torch.equal(packed, naive):
        raise EvaluationError(
            f"Expected equal counts of patterns, got {packed.tolist()} packed and {naive.tolist()} naive: "
            "the two computed different networks"
        )
