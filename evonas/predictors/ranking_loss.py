"""Pairwise ranking loss with a margin, as ONNX-Net trains by."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

__all__ = ["pairwise_margin_loss", "random_pairs"]

MARGIN = 0.1
PAIRS_PER_ITEM = 4
"""Pairs that are drawn for each item of a batch."""


def pairwise_margin_loss(scores: Tensor, values: Tensor, pairs: Tensor, margin: float = MARGIN) -> Tensor:
    """Return the average over pairs of max(0, margin - (score of the better - score of the worse)).

    Pairs of equal values say nothing and are left out; 0 where no other is there.

    Args:
        scores: Predicted, shape ``(n,)``.
        values: True, shape ``(n,)``; more is better.
        pairs: Positions of two items each, int64 of shape ``(k, 2)``.
        margin: By which the better one is to lead.
    """
    first, second = pairs[:, 0], pairs[:, 1]
    sign = torch.sign(values[first] - values[second])
    told_apart = sign != 0
    losses = torch.relu(margin - sign * (scores[first] - scores[second]))[told_apart]
    return losses.mean() if len(losses) else scores.sum() * 0.0


def random_pairs(n: int, rng: np.random.Generator) -> Tensor:
    """Return pairs of different items of n, four for each item, but no more than there are; shape ``(k, 2)``."""
    first, second = np.triu_indices(n, 1)
    chosen = rng.permutation(len(first))[: PAIRS_PER_ITEM * n]
    return torch.from_numpy(np.stack([first[chosen], second[chosen]], axis=1).astype(np.int64))
