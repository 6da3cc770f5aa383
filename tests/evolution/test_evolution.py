from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import moocore
import numpy as np
import pytest

import evonas
from evonas.errors import EvaluationError, MissingExtraError, SettingsError
from evonas.evolution import Evolution, algorithms
from evonas.pareto.dominance import first_front

CARDINALITIES = np.array([4] * 8)
WEIGHTS = np.array([2, 1, 1, 1, 1, 1, 1, 2])
AT_HAND = [name for name in algorithms if name != "agemoea"]  # that one needs numba


def draw(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, CARDINALITIES, (n, len(CARDINALITIES)))


def text(genome: np.ndarray) -> str:
    return "".join(map(str, genome))


def start(**changes) -> Evolution:
    options = dict(key=text, objectives=2, population=20, seed=0, sample=draw)
    return Evolution(CARDINALITIES, **{**options, **changes})


def problem(genomes: np.ndarray) -> np.ndarray:
    """Two objectives at odds in all choices, and a bump that makes some gene values a waste."""
    genomes = genomes.astype(float)
    return np.stack([(genomes * WEIGHTS).sum(axis=1), ((3 - genomes) ** 2 * WEIGHTS[::-1]).sum(axis=1)], axis=1)


def violation(genomes: np.ndarray) -> np.ndarray:
    """The first half must hold at least as much as the second, and some of it."""
    return np.stack(
        [genomes[:, 4:].sum(axis=1) - genomes[:, :4].sum(axis=1), 3 - genomes[:, :4].sum(axis=1)], axis=1
    ).astype(float)


def search(evolution: Evolution, rounds: int, constrained: bool = False) -> list[np.ndarray]:
    asked = []
    for _ in range(rounds):
        genomes = evolution.ask()
        if not len(genomes):
            break
        asked.append(genomes)
        evolution.tell(genomes, problem(genomes), violation(genomes) if constrained else None)
    return asked


def everything(cardinalities: np.ndarray) -> np.ndarray:
    return np.array(list(itertools.product(*map(range, cardinalities))))


# ------------------------------------------------------------------------------------- finding what is known


def test_nsga2_finds_every_point_of_a_front_found_by_enumeration():
    space = everything(CARDINALITIES)
    values, broken = problem(space), violation(space)
    best = first_front(values, broken)
    truth = np.unique(values[best], axis=0)
    assert len(truth) == 28
    assert set(map(tuple, truth)) != set(map(tuple, values[first_front(values)]))  # the constraints matter
    evolution = start(constraints=2, population=40)
    asked = search(evolution, 200, constrained=True)
    genomes, found = evolution.front()
    assert sum(map(len, asked)) < len(space) / 8
    np.testing.assert_array_equal(np.unique(found, axis=0), truth)
    assert (violation(genomes) <= 0).all()
    np.testing.assert_array_equal(problem(genomes), found)


@pytest.mark.parametrize("name", AT_HAND)
@pytest.mark.parametrize("constrained", [False, True])
def test_every_algorithm_runs_repeats_itself_and_asks_for_nothing_twice(name, constrained):
    runs = []
    for _ in range(2):
        evolution = start(algorithm=name, constraints=2 * constrained, seed=7)
        runs.append(np.concatenate(search(evolution, 12, constrained)))
    np.testing.assert_array_equal(*runs)
    assert len(set(map(text, runs[0]))) == len(runs[0]) >= 70
    assert not evolution.exhausted
    genomes, values = evolution.front()
    expected = first_front(problem(runs[0]), violation(runs[0]) if constrained else None)
    np.testing.assert_array_equal(genomes, runs[0][expected])
    np.testing.assert_array_equal(values, problem(runs[0][expected]))


@pytest.mark.parametrize("name", ["nsga2", "nsga3", "regularized-evolution"])
def test_algorithms_beat_random_search(name):
    def volume(algorithm: str, seed: int) -> float:
        evolution = start(algorithm=algorithm, seed=seed)
        told = 0
        while told < 1000:
            genomes = evolution.ask()
            evolution.tell(genomes, problem(genomes))
            told += len(genomes)
        return moocore.hypervolume(evolution.front()[1], ref=[30.0, 90.0])

    assert all(volume(name, seed) > volume("random", seed) for seed in range(4))


@pytest.mark.parametrize("name", ["nsga2", "random", "regularized-evolution"])
def test_one_objective_will_do(name):
    evolution = start(objectives=1, algorithm=name)
    for _ in range(15):
        genomes = evolution.ask()
        evolution.tell(genomes, problem(genomes).sum(axis=1, keepdims=True))
    assert np.unique(evolution.front()[1]).size == 1


def test_five_objectives_will_do():
    evolution = start(objectives=5, algorithm="nsga3", population=24)
    for _ in range(6):
        genomes = evolution.ask()
        evolution.tell(genomes, np.abs(genomes[:, :5] - np.arange(5) % 4).astype(float))
    assert len(evolution.population) == 24


# --------------------------------------------------------------------------------------- seeds and replaying


def test_another_seed_gives_another_run():
    first, second = (search(start(seed=seed), 2) for seed in (0, 1))
    assert not np.array_equal(first[0], second[0])


def test_global_random_state_is_neither_read_nor_written():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = search(start(constraints=2, algorithm="nsga3"), 6, constrained=True)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    second = search(start(constraints=2, algorithm="nsga3"), 6, constrained=True)
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(second))


def test_replaying_what_was_told_leads_to_the_same_next_question():
    known: dict[str, np.ndarray] = {}
    evolution = start(seed=3)
    for _ in range(9):
        genomes = evolution.ask()
        values = problem(genomes)
        values[::6] = np.nan
        known.update(zip(map(text, genomes), values, strict=True))
        evolution.tell(genomes, values)
    replayed = start(seed=3)
    for _ in range(9):
        genomes = replayed.ask()
        replayed.tell(genomes, np.stack([known[text(genome)] for genome in genomes]))  # a KeyError were a divergence
    np.testing.assert_array_equal(replayed.ask(), evolution.ask())
    assert replayed.parents == evolution.parents


def test_what_was_asked_cannot_be_changed_from_outside():
    evolution = start()
    genomes = evolution.ask()
    kept = genomes.copy()
    values = problem(genomes)
    genomes[:] = 0
    evolution.tell(kept, values)
    values[:] = -1.0
    assert (evolution.front()[1] >= 0).all()


# ----------------------------------------------------------------------------------------- the first genomes


def test_a_warm_start_is_asked_for_exactly_as_given_and_becomes_the_population():
    given = draw(20, np.random.default_rng(5))
    evolution = start(initial=given)
    asked = evolution.ask()
    np.testing.assert_array_equal(asked, given)
    assert evolution.parents == [()] * 20
    evolution.tell(asked, problem(asked))
    assert {text(g) for g in evolution.population} == {text(g) for g in given}


def test_a_short_warm_start_is_filled_with_samples():
    given = draw(5, np.random.default_rng(5))
    asked = start(initial=given).ask()
    assert len(asked) == 20
    np.testing.assert_array_equal(asked[:5], given)


def test_a_warm_start_larger_than_the_population_is_asked_for_whole():
    given = draw(50, np.random.default_rng(5))
    evolution = start(initial=given)
    asked = evolution.ask()
    np.testing.assert_array_equal(asked, given)
    evolution.tell(asked, problem(asked))
    search(evolution, 1)
    assert len(evolution.population) == 20


def test_duplicates_of_a_warm_start_are_asked_for_once():
    given = np.repeat(draw(10, np.random.default_rng(5)), 2, axis=0)
    asked = start(initial=given).ask()
    np.testing.assert_array_equal(asked[:10], given[::2])
    assert len(set(map(text, asked))) == 20


# ------------------------------------------------------------------------------------- failures, constraints


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", AT_HAND)
def test_failures_are_never_parents_and_never_on_the_front(name, bad):
    evolution = start(algorithm=name, seed=1)
    failed: set[str] = set()
    for _ in range(15):
        genomes = evolution.ask()
        assert not failed & set(itertools.chain(*evolution.parents))
        values = problem(genomes)
        values[::3, 0] = bad
        values[1::7] = bad
        failed |= {text(g) for g, v in zip(genomes, values, strict=True) if not np.isfinite(v).all()}
        evolution.tell(genomes, values)
        assert not failed & {text(g) for g in evolution.population}
        assert not failed & {text(g) for g in evolution.front()[0]}
        assert np.isfinite(evolution.front()[1]).all()
    assert len(failed) > 20


def test_failed_constraints_are_failures():
    evolution = start(constraints=1)
    genomes = evolution.ask()
    broken = np.zeros((20, 1))
    broken[3] = np.nan
    evolution.tell(genomes, problem(genomes), broken)
    assert text(genomes[3]) not in {text(g) for g in evolution.population}


def test_a_first_generation_that_fails_whole_is_followed_by_fresh_samples():
    evolution = start()
    first = evolution.ask()
    evolution.tell(first, np.full((20, 2), np.nan))
    assert len(evolution.population) == 0
    assert len(evolution.front()[0]) == 0
    second = evolution.ask()
    assert len(second) == 20
    assert not set(map(text, first)) & set(map(text, second))
    evolution.tell(second, problem(second))
    assert len(evolution.population) == 20


def test_one_survivor_is_enough_to_go_on():
    evolution = start()
    genomes = evolution.ask()
    values = np.full((20, 2), np.nan)
    values[4] = 1.0
    evolution.tell(genomes, values)
    assert len(evolution.ask()) == 20
    assert set(evolution.parents) == {(text(genomes[4]),)}


def test_the_feasible_survive_before_the_infeasible_however_good():
    evolution = start(constraints=1)
    genomes = evolution.ask()
    values = np.arange(20.0)[:, None].repeat(2, axis=1)
    evolution.tell(genomes, values, np.where(np.arange(20) < 15, 20.0 - np.arange(20), -1.0)[:, None])
    more = evolution.ask()
    evolution.tell(more, np.full((20, 2), -100.0), np.full((20, 1), 10.5))
    kept = {text(g) for g in evolution.population}
    assert kept >= {text(g) for g in genomes[15:]}
    assert kept >= {text(g) for g in genomes[10:15]}  # the least violations of the rest
    assert not kept & {text(g) for g in genomes[:9]}
    np.testing.assert_array_equal(evolution.front()[0], genomes[15:16])


def test_a_search_without_anything_feasible_has_no_front():
    evolution = start(constraints=1)
    for _ in range(4):
        genomes = evolution.ask()
        evolution.tell(genomes, problem(genomes), np.ones((len(genomes), 1)))
    assert len(evolution.front()[0]) == 0
    assert len(evolution.population) == 20


# ------------------------------------------------------------------------------- duplicates and small spaces


@pytest.mark.parametrize("name", AT_HAND)
def test_a_small_space_is_exhausted_and_never_hangs(name):
    cardinalities = np.array([2, 3, 2, 1])
    evolution = Evolution(
        cardinalities,
        key=text,
        objectives=2,
        population=8,
        seed=0,
        sample=lambda n, rng: rng.integers(0, cardinalities, (n, 4)),
        algorithm=name,
    )
    seen: set[str] = set()
    for _ in range(30):
        genomes = evolution.ask()
        seen |= set(map(text, genomes))
        if not len(genomes):
            break
        evolution.tell(genomes, genomes[:, :2] * [1.0, -1.0])
    assert seen == set(map(text, everything(cardinalities)))
    assert evolution.exhausted
    assert len(evolution.ask()) == 0  # none asked for, none to tell: asking again is no fault
    assert evolution.rejected > 0


def test_duplicates_are_told_apart_by_the_key_alone():
    evolution = start(key=lambda genome: text(genome[:4]))
    asked = np.concatenate(search(evolution, 8))
    assert len({text(genome[:4]) for genome in asked}) == len(asked)


def test_parents_are_known_and_account_for_most_genes():
    evolution = start()
    known: dict[str, np.ndarray] = {}
    for _ in range(6):
        genomes = evolution.ask()
        for genome, parents in zip(genomes, evolution.parents, strict=True):
            assert len(parents) <= 2
            if parents:
                inherited = np.any([known[parent] == genome for parent in parents], axis=0)
                assert inherited.sum() >= 3
        known.update(zip(map(text, genomes), genomes, strict=True))
        evolution.tell(genomes, problem(genomes))
    assert all(evolution.parents)


def test_regularized_evolution_lets_the_oldest_die():
    evolution = start(algorithm="regularized-evolution", population=16)
    asked = search(evolution, 10)
    assert [len(genomes) for genomes in asked] == [16] + [4] * 9
    np.testing.assert_array_equal(evolution.population, np.concatenate(asked)[-16:])


# ------------------------------------------------------------------------------------------------- the guard


def test_asking_twice_fails_and_says_what_was_expected():
    evolution = start()
    genomes = evolution.ask()
    with pytest.raises(EvaluationError, match=r"Expected tell\(\) with values of the 20 genomes.*ask\(\) again"):
        evolution.ask()
    evolution.tell(genomes, problem(genomes))  # still possible


def test_telling_without_asking_fails():
    evolution = start()
    with pytest.raises(EvaluationError, match=r"Expected ask\(\) before tell\(\)"):
        evolution.tell(np.zeros((20, 8)), np.zeros((20, 2)))
    genomes = evolution.ask()
    evolution.tell(genomes, problem(genomes))
    with pytest.raises(EvaluationError, match=r"Expected ask\(\) before tell\(\)"):
        evolution.tell(genomes, problem(genomes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g, v, c: (g[::-1], v, c), "in its order, got them in another order"),
        (lambda g, v, c: (g[:-1], v[:-1], c[:-1]), r"20 genomes.*others, of shape \(19, 8\)"),
        (lambda g, v, c: ((g + 1) % 4, v, c), "got others"),
        (lambda g, v, c: (g, v[:, :1], c), r"values of shape \(20, 2\).*got shape \(20, 1\)"),
        (lambda g, v, c: (g, v[:, 0], c), r"values of shape \(20, 2\).*got shape \(20,\)"),
        (lambda g, v, c: (g, v[:-1], c), r"values of shape \(20, 2\).*got shape \(19, 2\)"),
        (lambda g, v, c: (g, v.T, c), r"values of shape \(20, 2\).*got shape \(2, 20\)"),
        (lambda g, v, c: (g, v, c[:, :1]), r"violations of shape \(20, 2\).*got shape \(20, 1\)"),
        (lambda g, v, c: (g, v, None), r"violations of shape \(20, 2\).*got none"),
    ],
)
def test_telling_what_does_not_fit_fails_and_takes_nothing_in(change, message):
    evolution = start(constraints=2)
    genomes = evolution.ask()
    with pytest.raises(EvaluationError, match=message):
        evolution.tell(*change(genomes, problem(genomes), violation(genomes)))
    assert len(evolution.front()[0]) == len(evolution.population) == 0
    evolution.tell(genomes, problem(genomes), violation(genomes))
    assert len(evolution.population) == 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"algorithm": "nsga"}, "got 'nsga'. Did you mean 'nsga[23]'?"),
        ({"population": 1}, "Expected population of 2 or more, got 1"),
        ({"objectives": 0}, "Expected objectives of 1 or more, got 0"),
        ({"constraints": -1}, "Expected constraints of 0 or more"),
        ({"initial": np.zeros((3, 7))}, r"Expected genomes of shape \(n, 8\), got shape \(3, 7\)"),
        ({"initial": np.full((3, 8), 4)}, "Expected genes in 0 .. cardinalities - 1"),
        ({"initial": np.full((3, 8), -1)}, "as genome 0"),
        ({"ordered": np.ones(7, dtype=bool)}, "Expected 8 truth values that say which choices are ordered"),
        ({"ordered": np.ones(8)}, "Expected 8 truth values"),
        ({"algorithm": "nsga3", "objectives": 1}, "2 objectives or more"),
        ({"algorithm": "nsga3", "objectives": 30}, "population of 20"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(change, message):
    with pytest.raises(SettingsError, match=message):
        start(**change)


@pytest.mark.parametrize("cardinalities", [[], [3, 0], [[2, 2]]])
def test_cardinalities_that_make_no_sense_are_refused(cardinalities):
    with pytest.raises(SettingsError, match="one or more choices"):
        Evolution(cardinalities, key=text, objectives=1, seed=0, sample=draw)


def test_samples_out_of_range_are_refused():
    with pytest.raises(SettingsError, match="Expected genes in"):
        start(sample=lambda n, rng: np.full((n, 8), 9)).ask()


def test_agemoea_runs_or_says_what_it_needs():
    try:
        import numba  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match=r"pip install .evonas.agemoea"):
            start(algorithm="agemoea")
    else:
        first, second = (search(start(algorithm="agemoea"), 4) for _ in range(2))
        np.testing.assert_array_equal(np.concatenate(first), np.concatenate(second))


def test_the_room_imports_no_torch_and_the_package_no_pymoo():
    code = (
        "import sys, evonas, evonas.runs.run; assert 'pymoo' not in sys.modules and 'torch' not in sys.modules;"
        "import evonas.evolution; assert 'pymoo' in sys.modules and 'torch' not in sys.modules"
    )
    root = Path(evonas.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
