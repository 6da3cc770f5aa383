from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evonas.benchmarks import algorithms, members_of
from evonas.benchmarks.algorithms import _reset
from evonas.benchmarks.search import run
from evonas.errors import SettingsError
from evonas.pareto.indicators import hypervolume
from evonas.tables.table import Table

UNLIKELY = 0.5  # the spread of a made-up score's error, in accuracy's own


def scores(table) -> dict[str, np.ndarray]:
    """Accuracy blurred, known of four members in five."""
    noise = np.random.default_rng(0).normal(size=len(table))
    values = table["acc"] + UNLIKELY * table["acc"].std() * noise
    values[::5] = np.nan
    return {"blurred": values}


@pytest.mark.parametrize("name", sorted(algorithms))
def test_every_algorithm_spends_its_budget_on_different_members(codes, table, name):
    members = members_of(codes, table, "acc,flops", scores=scores(table))
    rows = run(members, algorithms[name], 65, seed=3)
    assert len(rows) == len(set(rows)) == 65
    assert rows[:45] != run(members, algorithms[name], 45, seed=4)
    assert rows[:45] == run(members, algorithms[name], 45, seed=3)


@pytest.mark.parametrize("name", sorted(algorithms))
@pytest.mark.parametrize("rows", [3, 50, 80])
def test_every_algorithm_ends_when_all_is_evaluated(codes, table, name, rows):
    table = table.select(range(rows))
    members = members_of(codes, table, "acc,params", scores=scores(table))
    assert sorted(run(members, algorithms[name], 10_000, seed=0)) == list(range(rows))


def test_all_start_from_the_same_random_members(codes, table):
    members = members_of(codes, table, "acc,flops")
    starts = {tuple(run(members, algorithms[name], 20, seed=5)) for name in ("random", "nsga2", "surrogate")}
    assert len(starts) == 1


@pytest.mark.parametrize("name", sorted(algorithms))
def test_three_objectives_and_a_table_that_is_not_the_whole_space(codes, table, name):
    rows = np.random.default_rng(0).choice(729, 200, replace=False)
    table = table.select(rows)
    members = members_of(codes, table, "acc,flops,params", scores=scores(table))
    assert len(set(run(members, algorithms[name], 60, seed=0))) == 60


def test_a_surrogate_beats_plain_evolution_and_a_warm_start_a_random_one(codes, table):
    def cost(architectures) -> list[float]:
        return [float(sum(one.genes)) for one in architectures]

    members = members_of(codes, table, "acc,flops", scores=scores(table), computed={"flops": cost})
    assert not members.cheap.any()  # a column goes before what is computed, which predictors see all the same

    def mean(name: str, evaluations: int) -> float:
        found = [run(members, algorithms[name], evaluations, seed) for seed in range(3)]
        return float(np.mean([hypervolume(members.values[rows], members.reference_point) for rows in found]))

    assert mean("surrogate", 60) > mean("nsga2", 60)
    assert mean("surrogate+warm", 20) > mean("surrogate", 20)


def test_columns_of_the_table_are_never_seen_before_they_are_evaluated(codes, table):
    """Another accuracy of the members not evaluated changes nothing."""
    members = members_of(codes, table, "acc,flops")
    rows = run(members, algorithms["surrogate"], 60, seed=0)
    accuracy = table["acc"].copy()
    hidden = np.setdiff1d(np.arange(len(table)), [*rows, accuracy.argmax(), accuracy.argmin()])
    accuracy[hidden] = np.random.default_rng(0).permutation(accuracy[hidden])
    changed = Table({**table.columns, "acc": accuracy}, texts=table.texts, space=codes)
    assert run(members_of(codes, changed, "acc,flops"), algorithms["surrogate"], 60, seed=0) == rows


def test_of_equal_networks_one_is_evaluated_until_nothing_else_is_left(codes, table):
    class Bags(type(codes)):
        """Codes whose order means nothing: 28 different ones."""

        def canonical(self, code):
            return replace(code, genes=tuple(sorted(code.genes)))

    members = members_of(Bags(), table, "acc,flops")
    rows = run(members, algorithms["surrogate"], 40, seed=0)
    assert len({members.form(members.genomes[row]) for row in rows[:28]}) == 28
    assert len(set(rows)) == 40


def test_a_warm_start_needs_scores(codes, table):
    with pytest.raises(SettingsError, match="scores, got none"):
        run(members_of(codes, table, "acc,flops"), algorithms["surrogate+warm"], 10, seed=0)


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
