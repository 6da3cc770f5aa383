"""Variation of genomes: rows of small integers, gene i in 0 .. cardinalities[i] - 1.

Most options have no order, so a gene is kept or replaced: polynomial mutation with rounding, made for numbers, leaves
almost every such genome as it was. Where options are listed by size, most children step from one to the next instead.
"""

from __future__ import annotations

import numpy as np

__all__ = ["STEP_SHARE", "crossover", "mutate"]

STEP_SHARE = 0.5
"""Share of children whose ordered genes step to a neighbor; the others are reset, which goes further.
Chosen on seeds of its own: more are better on ZDT and DTLZ and worse on costs of networks (docs/results/ordered.md)."""


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
    genomes: np.ndarray,
    cardinalities: np.ndarray,
    rng: np.random.Generator,
    *,
    rate: float | None = None,
    ordered: np.ndarray | None = None,
) -> np.ndarray:
    """Return mutation's children: by reset, or, where choices are ordered, by reset or by steps.

    Reset: every gene picked takes another of its options, each equally likely. At least one gene of every genome is
    picked; genes with a single option never are.

    Steps: a share `STEP_SHARE` of the children has ordered genes that go to the next option up or down, each as likely;
    a step beyond an end stays there. Their other genes are reset. None need be picked, so that some children are what
    crossover made of good parents: near a front most changes are for the worse.

    Args:
        genomes: Integers of shape (n, n_choices).
        cardinalities: Number of options of each choice, shape (n_choices,).
        rng: Source of randomness.
        rate: Probability in [0, 1] that a gene is picked, each for itself; one in the number of choices that
            have more than one option where None. Where it picks none, one gene is picked, each equally
            likely, but for children that step.
        ordered: Which choices list their options by size, bool of shape (n_choices,); None: none. The order of two
            options says nothing.

    Returns:
        Children, same shape and type as `genomes`.
    """
    free = np.flatnonzero(cardinalities > 1)
    if not free.size:
        return genomes.copy()
    if rate is None:
        rate = 1 / free.size
    picked = np.zeros(genomes.shape, dtype=bool)
    picked[:, free] = rng.random((len(genomes), free.size)) < rate
    still = np.flatnonzero(~picked.any(axis=1))
    # 1 .. cardinality - 1 steps around the circle of options: each other option is one count of steps away.
    forced = picked.copy()
    forced[still, rng.choice(free, size=still.size)] = True
    steps = rng.integers(1, np.maximum(cardinalities, 2), size=genomes.shape)
    others = (genomes + steps) % cardinalities
    reset = np.where(forced, others, genomes)
    sized = np.zeros(cardinalities.shape, dtype=bool) if ordered is None else ordered & (cardinalities > 2)
    if not sized.any():  # nothing further is drawn, so that spaces without an order have the searches they had
        return reset.astype(genomes.dtype)
    neighbors = np.clip(genomes + 2 * rng.integers(0, 2, size=genomes.shape) - 1, 0, cardinalities - 1)
    stepped = np.where(picked, np.where(sized, neighbors, others), genomes)
    steps_alone = rng.random((len(genomes), 1)) < STEP_SHARE
    return np.where(steps_alone, stepped, reset).astype(genomes.dtype)
