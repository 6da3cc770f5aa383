"""Genomes near the largest architecture, where weights that were made for it are worth most."""

from __future__ import annotations

from typing import Any

import numpy as np

from evonas.spaces.space import Space

__all__ = ["near_largest"]


def near_largest(space: Space[Any], shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Genomes of the largest architecture, of each of which a share of the choices is drawn again.

    Uniform draws of many choices are all alike: about as far from the largest as can be, where published weights say
    little. With shares between 0 and 1 all distances come up.

    Args:
        space: A space whose architectures have a largest.
        shares: Probability, for each genome, that one of its choices is drawn again, shape ``(n,)``.
        rng: Source of randomness.

    Returns:
        Shape ``(n, choices)``.

    Raises:
        SettingsError: Architectures have no largest.
    """
    largest = space.encode(space.extremes()[1])
    drawn = space.sample(len(shares), rng, by="choice")
    return np.where(rng.random(drawn.shape) < shares[:, None], drawn, largest).astype(drawn.dtype)
