"""Proposals of anchors: which architectures to train next, spread over cost and over what is not known yet."""

from __future__ import annotations

import numpy as np

__all__ = ["propose_anchors"]


def propose_anchors(
    cost: np.ndarray, uncertainty: np.ndarray | None, number: int, rng: np.random.Generator
) -> np.ndarray:
    """Return which candidates to train next: one from each of `number` slices of equal size along cost.

    Within a slice it is the one of largest uncertainty, a random one where none is known. So cheap and expensive
    networks are both learned from, whatever the uncertainty says.

    Args:
        cost: Of candidates, shape ``(n,)``; NaN counts as cheapest.
        uncertainty: Standard deviations of what is predicted of them, shape ``(n,)``, or None.
        number: How many; all where there are not more.
        rng: Source of randomness; ties of cost are broken by it.

    Returns:
        Different rows, int64, ascending in cost.
    """
    shuffled = rng.permutation(len(cost))
    order = shuffled[np.argsort(np.nan_to_num(cost, nan=-np.inf)[shuffled], kind="stable")]
    number = min(number, len(order))
    chosen = []
    for part in np.array_split(order, number) if number else []:
        if uncertainty is None:
            chosen.append(int(rng.choice(part)))
        else:
            chosen.append(int(part[np.argmax(uncertainty[part])]))
    return np.array(chosen, dtype=np.int64)
