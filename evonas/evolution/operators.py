"""Variation of genomes: rows of small integers, gene i in 0 .. cardinalities[i] - 1.

Options have no order, so a gene is kept or replaced, never nudged: polynomial mutation with rounding, made
for numbers, leaves almost every such genome as it was.
"""

from __future__ import annotations

import numpy as np

__all__ = ["crossover", "mutate"]


def crossover(first: np.ndarray, second: np.ndarray, rng: np.random.Generator, *, rate: float = 0.5) -> np.ndarray:
    """Return uniform crossover's children: each gene comes from one of two parents (Syswerda, ICGA 1989).

    Args:
        first: Genomes, integers of shape (n, n_choices).
        second: Their partners, same shape.
        rng: Source of randomness.
        rate: Probability in [0, 1] that a gene comes from the second parent, each gene for itself.

    Returns:
        Children, same shape and type as `first`.
    """
    return np.where(rng.random(first.shape) < rate, second, first).astype(first.dtype, copy=False)


def mutate(
    genomes: np.ndarray, cardinalities: np.ndarray, rng: np.random.Generator, *, rate: float | None = None
) -> np.ndarray:
    """Return reset mutation's children: every gene picked takes another of its options, each equally likely.

    At least one gene of every genome is picked; genes with a single option never are.

    Args:
        genomes: Integers of shape (n, n_choices).
        cardinalities: Number of options of each choice, shape (n_choices,).
        rng: Source of randomness.
        rate: Probability in [0, 1] that a gene is picked, each for itself; one in the number of choices that
            have more than one option where None. Where it picks none, one gene is picked, each equally
            likely.

    Returns:
        Children, same shape and type as `genomes`; unchanged only where every choice has a single option.
    """
    free = np.flatnonzero(cardinalities > 1)
    if not free.size:
        return genomes.copy()
    if rate is None:
        rate = 1 / free.size
    picked = np.zeros(genomes.shape, dtype=bool)
    picked[:, free] = rng.random((len(genomes), free.size)) < rate
    still = np.flatnonzero(~picked.any(axis=1))
    picked[still, rng.choice(free, size=still.size)] = True
    # 1 .. cardinality - 1 steps around the circle of options: each other option is one count of steps away.
    steps = rng.integers(1, np.maximum(cardinalities, 2), size=genomes.shape)
    return np.where(picked, (genomes + steps) % cardinalities, genomes).astype(genomes.dtype)
