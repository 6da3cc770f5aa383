"""The largest architecture of a space: the teacher of the others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evonas.spaces.architecture import Architecture
from evonas.spaces.space import Space


def largest(space: Space, cost: Callable[[Architecture], float]) -> Architecture:
    """Return an architecture that no change of one choice makes costlier, climbing from the last options.

    Args:
        space: The space.
        cost: Cost of a canonical architecture, such as its FLOPs.

    Returns:
        Canonical.
    """

    def canonical_of(genome: np.ndarray) -> Architecture:
        canonical: Architecture = space.canonical(space.decode(genome))
        return canonical

    best = space.cardinalities - 1
    top = cost(canonical_of(best))
    improved = True
    while improved:
        improved = False
        for index, options in enumerate(space.cardinalities):
            for option in range(int(options)):
                genome = best.copy()
                genome[index] = option
                value = cost(canonical_of(genome))
                if value > top:
                    best, top, improved = genome, value, True
    return canonical_of(best)
