from __future__ import annotations

import numpy as np
import pytest

from evonas.errors import EvaluationError
from evonas.evolution import SteadyEvolution, algorithms

CARDINALITIES = np.full(8, 4)


def make(**more) -> SteadyEvolution:
    given = {"objectives": 2, "population": 8, "seed": 0, "algorithm": "nsga2", **more}
    return SteadyEvolution(
        CARDINALITIES,
        key=lambda genome: tuple(genome.tolist()),
        sample=lambda n, rng: rng.integers(0, 4, (n, 8)),
        **given,
    )


def worth(genome: np.ndarray) -> np.ndarray:
    """Two objectives whose best genomes are all zeros and all threes."""
    return np.array([[genome.sum(), (3 - genome).sum()]], dtype=float)


def drive(evolution: SteadyEvolution, n: int, out: int, seed: int) -> list[tuple[int, ...]]:
    """Keep some genomes out and tell them in a random order; return what was told, in order."""
    rng, waiting, told = np.random.default_rng(seed), [], []
    while len(told) < n:
        while len(waiting) < out:
            waiting.append(evolution.ask())
        genome = waiting.pop(rng.integers(len(waiting)))
        evolution.tell(genome, worth(genome[0]))
        told.append(tuple(genome[0].tolist()))
    return told


@pytest.mark.parametrize("algorithm", sorted(set(algorithms) - {"agemoea"}))
@pytest.mark.parametrize("out", [1, 3, 20])
def test_genomes_are_new_and_follow_from_the_order_of_telling(algorithm, out):
    first, again, other = (drive(make(algorithm=algorithm), 80, out, seed) for seed in (1, 1, 2))
    assert len(set(first)) == 80
    assert first == again
    assert (first == other) == (out == 1)


def test_it_finds_better_genomes_than_chance():
    def best(algorithm: str) -> float:
        return np.mean([min(sum(g) for g in drive(make(algorithm=algorithm, seed=s), 150, 10, 0)) for s in range(5)])

    assert best("nsga2") < best("random") - 1


def test_what_is_given_comes_first_and_parents_are_those_of_the_genome():
    initial = np.arange(24).reshape(3, 8) // 6
    evolution = make(initial=np.concatenate([initial, initial[:1]]))
    assert [evolution.ask()[0].tolist() for _ in range(3)] == initial.tolist()
    for genome in initial:
        evolution.tell(genome[None], worth(genome))
    seen = {tuple(genome) for genome in initial.tolist()}
    for _ in range(30):
        genome = evolution.ask()
        assert evolution.parents[0] == () or set(evolution.parents[0]) <= seen
        evolution.tell(genome, worth(genome[0]))
        seen.add(tuple(genome[0].tolist()))
    assert any(evolution.parents)
    genomes, values = evolution.front()
    assert [worth(genome)[0].tolist() for genome in genomes] == values.tolist()


def test_failures_are_no_parents():
    evolution = make(population=2)
    failed = []
    for i in range(40):
        genome = evolution.ask()
        assert not {tuple(g) for g in failed} & set(evolution.parents[0])
        if i % 3 == 0:
            failed.append(tuple(genome[0].tolist()))
            evolution.tell(genome, np.full((1, 2), np.nan))
        else:
            evolution.tell(genome, worth(genome[0]))
    assert not {tuple(g.tolist()) for g in evolution.front()[0]} & set(failed)


def test_what_is_not_out_is_refused():
    evolution = make()
    genome = evolution.ask()
    other = (genome + 1) % 4
    for wrong in (other, genome[0], np.zeros((2, 8))):
        with pytest.raises(EvaluationError, match="one of the 1 genomes that are out"):
            evolution.tell(wrong, worth(genome[0]))
    with pytest.raises(EvaluationError, match="values of shape"):
        evolution.tell(genome, np.zeros((1, 3)))
    evolution.tell(genome, worth(genome[0]))
    with pytest.raises(EvaluationError, match="that are out"):
        evolution.tell(genome, worth(genome[0]))


def test_a_small_space_is_exhausted():
    evolution = SteadyEvolution(
        np.array([2, 2]), key=lambda g: tuple(g.tolist()), sample=lambda n, rng: rng.integers(0, 2, (n, 2)),
        objectives=1, population=2, seed=0,
    )  # fmt: skip
    for _ in range(4):
        genome = evolution.ask()
        evolution.tell(genome, np.array([[float(genome.sum())]]))
    assert evolution.ask().shape == (0, 2)
    assert evolution.exhausted
