"""The searches that `bench search` compares, each as a function of an oracle and a source of randomness.

An algorithm asks `oracle.evaluate` until the oracle says that the budget is spent. With equal seeds all but those
of a warm start begin with the same random members, so that they differ by what they do afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import numpy as np
from scipy.stats import rankdata

from evonas.benchmarks.members import Members, Oracle
from evonas.errors import SettingsError
from evonas.evolution import algorithms as evolutionary
from evonas.evolution.surrogate import SurrogateEvolution
from evonas.pareto.dominance import choose_first

__all__ = ["Algorithm", "algorithms", "nsga2", "random_search", "surrogate"]

Algorithm = Callable[[Oracle, np.random.Generator], None]

_POPULATION = 40
_FIRST, _BATCH = 20, 10  # of the surrogate: the first random members, and those of a round
_SCORED, _WARM, _CHOSEN = 500, 16, 12  # of a warm start: members that it scores, its first members, and those of them
# that scores choose: the others are random, for predictors learn from contrast
_ROUNDS = 30  # of variation before random members fill the offspring


def random_search(oracle: Oracle, rng: np.random.Generator) -> None:
    """Evaluate members in random order, none twice."""
    oracle.evaluate(rng.permutation(len(oracle.members)))


def nsga2(oracle: Oracle, rng: np.random.Generator) -> None:
    """Plain NSGA-II, frozen: what a better search must beat is not to move when the product's search does.

    Population 40, uniform crossover of every pair, each gene reset to another option with probability 1/n,
    pymoo's tournament and survival, no member evaluated twice. Where the table is not the whole space, a
    child that is no member becomes the nearest one not yet evaluated, by the number of genes that differ.

    Source: Deb et al. (2002), as implemented by pymoo (Blank and Deb, 2020).
    """
    members = oracle.members
    algorithm = evolutionary["nsga2"](
        population=_POPULATION,
        cardinalities=members.space.cardinalities,
        objectives=members.values.shape[1],
        constraints=0,
        rng=rng,
    )
    rows = rng.permutation(len(members))[:_POPULATION]
    while oracle.left:
        values = oracle.evaluate(rows)
        # A member's row is its number: what the algorithm calls its population are rows again.
        algorithm.tell(rows, values, np.zeros((len(rows), 0)))
        rows = _offspring(oracle, algorithm.parents, rng)


def _offspring(oracle: Oracle, choose: Callable[[int], np.ndarray], rng: np.random.Generator) -> np.ndarray:
    members = oracle.members
    children: list[int] = []
    free = ~oracle.evaluated
    for _ in range(_ROUNDS):
        missing = min(_POPULATION, int(free.sum()) + len(children)) - len(children)
        if not missing:
            break
        first, second = members.genomes[choose(missing).T]
        mixed = np.where(rng.random(first.shape) < 0.5, first, second)
        for genome in _reset(mixed, members.space.cardinalities, rng):
            row = members.row(genome)
            if row is None:
                row = members.nearest(genome, free)
            if free[row]:
                free[row] = False
                children.append(row)
    missing = min(_POPULATION - len(children), int(free.sum()))
    return np.array([*children, *rng.permutation(np.flatnonzero(free))[:missing]], dtype=np.int64)


def _reset(genomes: np.ndarray, cardinalities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    picked = (rng.random(genomes.shape) < 1 / genomes.shape[1]) & (cardinalities > 1)
    steps = rng.integers(1, np.maximum(cardinalities, 2), size=genomes.shape)
    return np.where(picked, (genomes + steps) % cardinalities, genomes)


def surrogate(oracle: Oracle, rng: np.random.Generator, *, warm: bool = False) -> None:
    """Surrogate-assisted search as the product does it, with rows instead of a space.

    Of members that are equal networks one is evaluated, whichever comes first in random order; the others, further
    measurements of it, come when nothing else is left.

    Args:
        oracle: What may be evaluated.
        rng: Source of randomness.
        warm: Start with fewer members, most of them among the best by training-free scores and FLOPs, spread along
            the cost. Members without a score, and all but a sample of those that have one, are passed over, as a
            search scores a sample only; for that reason predictors do not see scores either.

    Raises:
        SettingsError: A warm start without scores.
    """
    members = oracle.members
    rows, first = rng.permutation(len(members)), _FIRST
    if warm:
        first = _WARM
        rows = np.array(list(dict.fromkeys([*_scored_first(members, rows), *rows])))
    cheap = oracle.cheap()

    def known(genomes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return cheap[_rows(members, genomes)], np.zeros((len(genomes), 0))

    search = SurrogateEvolution(
        members.space.cardinalities,
        key=members.form,
        objectives=len(members.objectives),
        population=first,
        seed=int(rng.integers(2**31)),
        sample=lambda n, generator: members.genomes[generator.integers(len(members), size=n)],
        initial=members.genomes[rows[:first]],
        encoder=members.encoder,
        cheap=known,
        batch=_BATCH,
        listed=members.genomes[rows[::-1]],  # of equal keys the last counts
    )
    while oracle.left:
        genomes = search.ask()
        if not len(genomes):
            oracle.evaluate(rows)
            return
        search.tell(genomes, oracle.evaluate(_rows(members, genomes)))


def _rows(members: Members, genomes: np.ndarray) -> np.ndarray:
    return np.array([members.row(genome) for genome in genomes], dtype=np.int64)


def _scored_first(members: Members, rows: np.ndarray) -> np.ndarray:
    """Return the rows of a warm start: by every score there is and the first computed cost."""
    if not members.scores:
        raise SettingsError(
            "surrogate+warm starts from training-free scores, got none: give some (--proxy-scores FILE)"
        )
    scores = np.stack(list(members.scores.values()), axis=1)
    rows = rows[np.isfinite(scores[rows]).all(axis=1)][:_SCORED]
    if not len(rows):
        raise SettingsError(f"Expected a member with each of the scores {', '.join(members.scores)}, got none.")
    cost = members.statistics[rows, :1] if members.statistics.shape[1] else np.zeros((len(rows), 1))
    # Several scores count by their ranks, added up: no single one is best on every space.
    total = rankdata(scores[rows], axis=0).sum(axis=1, keepdims=True)
    chosen: np.ndarray = rows[choose_first(np.concatenate([-total, cost], axis=1), _CHOSEN, cost_column=1)]
    return chosen


algorithms: Mapping[str, Algorithm] = MappingProxyType(
    {
        "random": random_search,
        "nsga2": nsga2,
        "surrogate": surrogate,
        "surrogate+warm": partial(surrogate, warm=True),
    }
)
"""By name."""
