from __future__ import annotations

import numpy as np
import pytest

from evonas.benchmarks import algorithms, members_of
from evonas.benchmarks.algorithms import _reset
from evonas.benchmarks.search import run


@pytest.mark.parametrize("name", sorted(algorithms))
def test_every_algorithm_spends_its_budget_on_different_members(codes, table, name):
    members = members_of(codes, table, "acc,flops")
    rows = run(members, algorithms[name], 150, seed=3)
    assert len(rows) == len(set(rows)) == 150
    assert rows == run(members, algorithms[name], 150, seed=3)
    assert rows != run(members, algorithms[name], 150, seed=4)
    assert rows[:60] == run(members, algorithms[name], 60, seed=3)


@pytest.mark.parametrize("name", sorted(algorithms))
@pytest.mark.parametrize("rows", [3, 50, 729])
def test_every_algorithm_ends_when_all_is_evaluated(codes, table, name, rows):
    members = members_of(codes, table.select(range(rows)), "acc,params")
    assert sorted(run(members, algorithms[name], 10_000, seed=0)) == list(range(rows))


def test_all_start_from_the_same_random_members(codes, table):
    members = members_of(codes, table, "acc,flops")
    starts = {tuple(run(members, algorithm, 40, seed=5)) for algorithm in algorithms.values()}
    assert len(starts) == 1


@pytest.mark.parametrize("name", sorted(algorithms))
def test_three_objectives_and_a_table_that_is_not_the_whole_space(codes, table, name):
    rows = np.random.default_rng(0).choice(729, 200, replace=False)
    members = members_of(codes, table.select(rows), "acc,flops,params")
    assert len(set(run(members, algorithms[name], 120, seed=0))) == 120


def test_reset_mutation_picks_each_gene_by_one_in_n_and_always_changes_it():
    rng = np.random.default_rng(0)
    cardinalities = np.array([2, 3, 5, 1])
    genomes = rng.integers(0, cardinalities, size=(40_000, 4))
    children = _reset(genomes, cardinalities, rng)
    assert ((children >= 0) & (children < cardinalities)).all()
    # 40,000 draws of probability 1/4: standard deviation 0.0022.
    np.testing.assert_allclose((children != genomes).mean(axis=0), [0.25, 0.25, 0.25, 0], atol=0.009)
    steps = (children - genomes)[:, 2] % 5
    np.testing.assert_allclose(np.bincount(steps)[1:] / (steps > 0).sum(), 0.25, atol=0.02)
