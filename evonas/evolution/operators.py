"""Variation of genomes: rows of small integers, gene i in 0 .. cardinalities[i] - 1.

Most options have no order, so a gene is kept or replaced: polynomial mutation with rounding, made for numbers, leaves
almost every such genome as it was. Where options are listed by size, children lie about their parents, and most
mutations go to an option nearby.
"""

from __future__ import annotations

import numpy as np

__all__ = ["crossover", "mutate"]

NUMERIC_SHARE = 0.5
"""Share of children whose ordered genes are crossed as numbers; those of the others come from either parent."""
CROSSOVER_INDEX = 3.0
"""Distribution index of simulated binary crossover; the greater, the nearer children are to their parents."""
LENGTH_EXPONENT = 2.0
"""A mutation of an ordered gene is d options long with a probability in proportion to 1 / d to this power.
All three were chosen on seeds of their own (docs/results/ordered.md)."""


def crossover(
    first: np.ndarray,
    second: np.ndarray,
    rng: np.random.Generator,
    *,
    rate: float = 0.5,
    cardinalities: np.ndarray | None = None,
    ordered: np.ndarray | None = None,
) -> np.ndarray:
    """Return children of uniform crossover, or, where choices are ordered, of it or of simulated binary crossover.

    Uniform: each gene comes from one of two parents (Syswerda, ICGA 1989). Simulated binary: in a share `NUMERIC_SHARE`
    of the children ordered genes, each with a probability of one half, lie about the parents' values as numbers do
    (Deb and Agrawal, 1995, bounded), rounded; the others are the first parent's.

    Args:
        first: Genomes, integers of shape (n, n_choices).
        second: Their partners, same shape.
        rng: Source of randomness.
        rate: Probability in [0, 1] that a gene of uniform crossover comes from the second parent, each for itself.
        cardinalities: Number of options of each choice, shape (n_choices,); needed with `ordered`.
        ordered: Which choices list their options by size, bool of shape (n_choices,); None: none.

    Returns:
        Children, same shape and type as `first`.
    """
    uniform = np.where(rng.random(first.shape) < rate, second, first).astype(first.dtype, copy=False)
    if cardinalities is None or not (sized := _sized(cardinalities, ordered)).any():
        return uniform
    numeric = rng.random((len(first), 1)) < NUMERIC_SHARE
    blended = np.where(rng.random(first.shape) < 0.5, _simulated_binary(first, second, cardinalities, rng), first)
    return np.where(numeric & sized, blended, uniform).astype(first.dtype)


def mutate(
    genomes: np.ndarray,
    cardinalities: np.ndarray,
    rng: np.random.Generator,
    *,
    rate: float | None = None,
    ordered: np.ndarray | None = None,
) -> np.ndarray:
    """Return mutation's children.

    A gene that is picked takes another of its options, each equally likely. Where no choice is ordered, at least one
    gene of every genome is picked; genes with a single option never are.

    Where choices are ordered, their genes go up or down, each as likely, by d options with a probability in proportion
    to d to the power of minus `LENGTH_EXPONENT`; what would go beyond an end stays (a power law as in Doerr, Doerr and
    Kötzing, Algorithmica 2018, whose exponent is 1). None need be picked then: near a front most changes are
    for the worse, and a child may be what crossover made of good parents.

    Args:
        genomes: Integers of shape (n, n_choices).
        cardinalities: Number of options of each choice, shape (n_choices,).
        rng: Source of randomness.
        rate: Probability in [0, 1] that a gene is picked, each for itself; one in the number of choices that
            have more than one option where None. Where it picks none and no choice is ordered, one gene is picked, each
            equally likely.
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
    sized = _sized(cardinalities, ordered)
    if not sized.any():
        still = np.flatnonzero(~picked.any(axis=1))
        picked[still, rng.choice(free, size=still.size)] = True
    # 1 .. cardinality - 1 steps around the circle of options: each other option is one count of steps away.
    steps = rng.integers(1, np.maximum(cardinalities, 2), size=genomes.shape)
    others = (genomes + steps) % cardinalities
    if sized.any():  # else nothing further is drawn, so that spaces without an order keep their searches
        others = np.where(sized, _moved(genomes, cardinalities, rng), others)
    return np.where(picked, others, genomes).astype(genomes.dtype)


def _sized(cardinalities: np.ndarray, ordered: np.ndarray | None) -> np.ndarray:
    """Return which choices have an order that says something, shape (n_choices,)."""
    return np.zeros(cardinalities.shape, dtype=bool) if ordered is None else ordered & (cardinalities > 2)


def _moved(genomes: np.ndarray, cardinalities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return genes gone up or down by a length of a power law, or as they were where that leads beyond an end."""
    lengths = np.arange(1, max(2, int(cardinalities.max())))
    # Lengths of a choice are those below its number of options: its share of the common distribution function.
    whole = np.cumsum(lengths**-LENGTH_EXPONENT)
    reach = whole[np.maximum(cardinalities - 2, 0)]
    length = 1 + np.searchsorted(whole, rng.random(genomes.shape) * reach, side="right")
    moved = genomes + np.where(rng.random(genomes.shape) < 0.5, length, -length)
    return np.where((moved < 0) | (moved >= cardinalities), genomes, moved)


def _simulated_binary(
    first: np.ndarray, second: np.ndarray, cardinalities: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return one of the two children of every gene, each as likely: as far from the parents' middle as drawn."""
    low, high = np.minimum(first, second).astype(float), np.maximum(first, second).astype(float)
    upper = rng.random(first.shape) < 0.5
    room = np.where(upper, cardinalities - 1 - high, low)
    span = np.maximum(high - low, 1e-9)
    # The bound leaves this much of the distribution of the spread, whose function is inverted.
    share = 2 - (1 + 2 * room / span) ** -(CROSSOVER_INDEX + 1)
    drawn = rng.random(first.shape) * share
    spread = np.where(drawn <= 1, drawn, 1 / (2 - drawn)) ** (1 / (CROSSOVER_INDEX + 1))
    middle = (low + high) / 2
    child = np.rint(middle + np.where(upper, 0.5, -0.5) * spread * (high - low))
    within: np.ndarray = np.clip(child, 0, cardinalities - 1)
    return within
