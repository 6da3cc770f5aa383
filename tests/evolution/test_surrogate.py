from __future__ import annotations

import itertools

import moocore
import numpy as np
import pytest

from evonas.errors import EvaluationError, SettingsError
from evonas.evolution import Evolution
from evonas.evolution.surrogate import SurrogateEvolution
from evonas.pareto.dominance import first_front
from evonas.predictors import TokenEncoder

CARDINALITIES = np.array([3] * 6)
WEIGHTS = np.array([2.0, 1.0, 1.0, 1.5, 1.0, 2.5])


def text(genome: np.ndarray) -> str:
    return "".join(map(str, genome))


def draw(n: int, rng: np.random.Generator, cardinalities: np.ndarray = CARDINALITIES) -> np.ndarray:
    return rng.integers(0, cardinalities, (n, len(cardinalities)))


def problem(genomes: np.ndarray) -> np.ndarray:
    """Error, expensive, which falls with less and less use; and cost, which is computed."""
    genomes = genomes.astype(float)
    width = WEIGHTS[: genomes.shape[1]] if genomes.shape[1] <= 6 else np.resize(WEIGHTS, genomes.shape[1])
    return np.stack([np.exp(-0.3 * genomes @ width) + 0.02 * (genomes[:, 0] == 1), genomes.sum(axis=1)], axis=1)


def cheap(genomes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = problem(genomes)
    values[:, 0] = np.nan
    return values, np.zeros((len(genomes), 0))


def words(genome: np.ndarray) -> dict[str, dict[str, float]]:
    return {"genes": {f"{i}={gene}": 1.0 for i, gene in enumerate(genome.tolist())}}


def nothing(genomes: np.ndarray) -> np.ndarray:
    return np.zeros((len(genomes), 0))


def start(**changes) -> SurrogateEvolution:
    options = dict(
        key=text, objectives=2, population=12, seed=0, sample=draw, cheap=cheap, batch=6,
        encoder=TokenEncoder(words, nothing, text),
    )  # fmt: skip
    cardinalities = changes.pop("cardinalities", CARDINALITIES)
    return SurrogateEvolution(cardinalities, **{**options, **changes})


def search(evolution: Evolution, rounds: int, tell=problem) -> np.ndarray:
    asked = []
    for _ in range(rounds):
        genomes = evolution.ask()
        if not len(genomes):
            break
        asked.append(genomes)
        evolution.tell(genomes, tell(genomes))
    return np.concatenate(asked)


def volume(evolution: Evolution) -> float:
    return moocore.hypervolume(evolution.front()[1], ref=[1.1, 12.5])


def test_it_beats_plain_evolution_at_equal_evaluations():
    ours, theirs = [], []
    for seed in range(3):
        assisted = start(seed=seed)
        plain = Evolution(CARDINALITIES, key=text, objectives=2, population=12, seed=seed, sample=draw)
        assert len(search(assisted, 6)) == 42
        search(plain, 4)
        ours.append(volume(assisted))
        theirs.append(volume(plain))
    assert min(ours) > max(theirs)


def test_first_genomes_are_those_of_plain_evolution_and_batches_follow():
    assisted = start()
    first = assisted.ask()
    plain = Evolution(CARDINALITIES, key=text, objectives=2, population=12, seed=0, sample=draw)
    np.testing.assert_array_equal(first, plain.ask())
    assisted.tell(first, problem(first))
    assert len(assisted.ask()) == 6
    assert assisted.parents == [()] * 6


def test_equal_seeds_give_equal_searches_and_nothing_twice():
    runs = [search(start(seed=seed), 5) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    assert len(set(map(text, runs[0]))) == len(runs[0])


def test_stored_proposals_are_replayed_without_fitting(monkeypatch):
    store: dict[str, object] = {}

    def remember(name, make):
        if name not in store:
            store[name] = make()
        return store[name]

    first = search(start(remember=remember), 5)
    monkeypatch.setattr("evonas.evolution.surrogate.fit_predictor", None)  # a fit would be a TypeError
    np.testing.assert_array_equal(search(start(remember=remember), 5), first)


@pytest.mark.parametrize("stop", [2, 4])
def test_a_search_that_goes_on_from_stored_proposals_ends_alike(stop):
    whole = search(start(), 6)
    store: dict[str, object] = {}

    def remember(name, make):
        if name not in store:
            store[name] = make()
        return store[name]

    search(start(remember=remember), stop)
    np.testing.assert_array_equal(search(start(remember=remember), 6), whole)


def test_failures_are_neither_learnt_from_nor_on_the_front():
    def failing(genomes: np.ndarray) -> np.ndarray:
        values = problem(genomes)
        values[genomes[:, 1] == 2] = np.nan
        return values

    evolution = start()
    search(evolution, 5, failing)
    assert (evolution.front()[0][:, 1] != 2).all()
    assert len(evolution.front()[0])


def test_a_first_generation_that_fails_whole_is_followed_by_samples():
    evolution = start()
    first = evolution.ask()
    evolution.tell(first, np.full((12, 2), np.nan))
    assert len(evolution.ask()) == 12


def test_a_large_space_is_searched_by_an_inner_evolution():
    cardinalities = np.array([3] * 12)
    evolution = start(
        cardinalities=cardinalities, sample=lambda n, rng: draw(n, rng, cardinalities), population=10, batch=5
    )
    asked = search(evolution, 4)
    assert len(set(map(text, asked))) == 25
    plain = Evolution(
        cardinalities, key=text, objectives=2, population=10, seed=0, sample=lambda n, rng: draw(n, rng, cardinalities)
    )
    search(plain, 3)
    best = moocore.hypervolume(evolution.front()[1], ref=[1.1, 24.5])
    assert best > moocore.hypervolume(plain.front()[1], ref=[1.1, 24.5])


def test_a_small_space_is_exhausted():
    cardinalities = np.array([2, 3, 2])
    evolution = start(
        cardinalities=cardinalities, sample=lambda n, rng: draw(n, rng, cardinalities), population=4, batch=5
    )
    asked = search(evolution, 20)
    assert sorted(map(text, asked)) == sorted(map(text, itertools.product(*map(range, cardinalities))))
    assert evolution.exhausted


@pytest.mark.parametrize("computed", [True, False])
def test_constraints_are_kept_to_whether_computed_or_predicted(computed):
    """The best feasible front is known by enumeration; few genomes are feasible at random."""
    space = np.array(list(itertools.product(range(3), repeat=6)))

    def broken(genomes: np.ndarray) -> np.ndarray:
        return np.maximum(genomes[:, :3].sum(axis=1) - 1.0, 0.0)[:, None]

    def known(genomes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return cheap(genomes)[0], broken(genomes) if computed else np.full((len(genomes), 1), np.nan)

    evolution = start(constraints=1, cheap=known, batch=10)
    late: list[np.ndarray] = []
    for turn in range(8):
        genomes = evolution.ask()
        if turn >= 4:
            late.append(genomes)
        evolution.tell(genomes, problem(genomes), broken(genomes))
    truth = problem(space)[first_front(problem(space), broken(space))]
    genomes, values = evolution.front()
    assert (broken(genomes) == 0).all()
    ref = [1.1, 12.5]
    share = 0.97 if computed else 0.93
    assert moocore.hypervolume(values, ref=ref) >= share * moocore.hypervolume(truth, ref=ref)
    at_random = (broken(space) == 0).mean()
    # Once most of the front is known, what may be feasible beyond it is worth trying.
    assert (broken(np.concatenate(late)) == 0).mean() > (2 if computed else 1) * at_random


def test_a_constraint_that_nothing_meets_leaves_no_front():
    evolution = start(constraints=1, cheap=lambda genomes: (cheap(genomes)[0], np.full((len(genomes), 1), np.nan)))
    for _ in range(3):
        genomes = evolution.ask()
        evolution.tell(genomes, problem(genomes), 1.0 + genomes[:, :1])
    assert len(evolution.front()[0]) == 0


def test_predictors_are_named():
    evolution = start()
    search(evolution, 3)
    assert set(evolution.choices) == {0}  # the cost is computed
    assert evolution.choices[0].name in evolution.choices[0].correlations


def test_asking_twice_and_no_batch_are_errors():
    evolution = start()
    evolution.ask()
    with pytest.raises(EvaluationError, match="got ask"):
        evolution.ask()
    with pytest.raises(SettingsError, match="batch of 1"):
        start(batch=0)
