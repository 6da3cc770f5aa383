from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evonas.evolution import crossover, mutate
from evonas.evolution.operators import CROSSOVER_INDEX, LENGTH_EXPONENT, NUMERIC_SHARE

CARDINALITIES = np.array([2, 3, 8, 1, 5, 3, 4, 1, 7, 2])
FREE = CARDINALITIES > 1


def genomes(n: int, cardinalities: np.ndarray = CARDINALITIES, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, cardinalities, (n, len(cardinalities))).astype(np.int16)


@pytest.mark.parametrize("rate", [None, 0.05, 0.3])
def test_mutation_picks_each_free_gene_at_its_rate(rate):
    n, free = 40_000, int(FREE.sum())
    before = genomes(n)
    changed = mutate(before, CARDINALITIES, np.random.default_rng(1), rate=rate) != before
    p = 1 / free if rate is None else rate
    expected = p + (1 - p) ** free / free  # picked, or the one gene picked where none was
    for gene in np.flatnonzero(FREE):
        assert stats.binomtest(int(changed[:, gene].sum()), n, expected).pvalue > 1e-4


def test_mutation_always_changes_at_least_one_gene():
    before = genomes(20_000)
    after = mutate(before, CARDINALITIES, np.random.default_rng(2))
    assert (after != before).any(axis=1).all()


def test_mutation_at_rate_zero_changes_exactly_one_gene_and_each_as_often():
    before = genomes(16_000)
    changed = mutate(before, CARDINALITIES, np.random.default_rng(3), rate=0.0) != before
    assert (changed.sum(axis=1) == 1).all()
    assert stats.chisquare(changed.sum(axis=0)[FREE]).pvalue > 1e-4


def test_mutation_at_rate_one_changes_every_free_gene():
    before = genomes(1_000)
    changed = mutate(before, CARDINALITIES, np.random.default_rng(4), rate=1.0) != before
    np.testing.assert_array_equal(changed, np.broadcast_to(FREE, changed.shape))


@pytest.mark.parametrize("old", range(8))
def test_mutation_takes_each_other_option_equally_often(old):
    before = np.full((14_000, 1), old, dtype=np.int16)
    after = mutate(before, np.array([8]), np.random.default_rng(5 + old))
    counts = np.bincount(after[:, 0], minlength=8)
    assert counts[old] == 0
    assert stats.chisquare(np.delete(counts, old)).pvalue > 1e-4


def test_mutation_of_a_space_without_a_choice_changes_nothing():
    before = np.zeros((5, 3), dtype=np.int16)
    after = mutate(before, np.ones(3, dtype=int), np.random.default_rng(0))
    np.testing.assert_array_equal(after, before)
    assert after is not before


def test_crossover_takes_each_gene_from_either_parent_half_the_time():
    first, second = np.zeros((20_000, 6), dtype=np.int16), np.ones((20_000, 6), dtype=np.int16)
    child = crossover(first, second, np.random.default_rng(6))
    for gene in range(6):
        assert stats.binomtest(int(child[:, gene].sum()), 20_000, 0.5).pvalue > 1e-4
    # genes are drawn each for itself: the number that comes from the second parent is binomial
    counts = np.bincount(child.sum(axis=1), minlength=7)
    assert stats.chisquare(counts, 20_000 * stats.binom.pmf(np.arange(7), 6, 0.5)).pvalue > 1e-4


def test_crossover_keeps_what_parents_share():
    first, second = genomes(500, seed=1), genomes(500, seed=2)
    child = crossover(first, second, np.random.default_rng(7))
    assert ((child == first) | (child == second)).all()


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12), st.integers(1, 30), st.integers(0, 2**32))
def test_offspring_stay_in_range_and_keep_their_type(cardinalities, n, seed):
    cardinalities = np.array(cardinalities)
    rng = np.random.default_rng(seed)
    first, second = genomes(n, cardinalities, seed), genomes(n, cardinalities, seed + 1)
    child = mutate(crossover(first, second, rng), cardinalities, rng)
    assert child.dtype == np.int16
    assert child.shape == first.shape
    assert ((child >= 0) & (child < cardinalities)).all()


def test_operators_leave_their_arguments_alone():
    first, second = genomes(50, seed=1), genomes(50, seed=2)
    kept = first.copy(), second.copy()
    mutate(crossover(first, second, np.random.default_rng(0)), CARDINALITIES, np.random.default_rng(0))
    np.testing.assert_array_equal((first, second), kept)


@pytest.mark.parametrize("old", [0, 3, 7])
def test_an_ordered_gene_moves_by_lengths_of_a_power_law_and_stays_at_the_ends(old):
    before = np.full((28_000, 1), old, dtype=np.int16)
    after = mutate(before, np.array([8]), np.random.default_rng(20 + old), ordered=np.array([True]))
    weights = np.array([length**-LENGTH_EXPONENT for length in range(1, 8)])
    expected = np.zeros(8)
    for length, share in enumerate(weights / weights.sum(), start=1):
        for place in (old - length, old + length):
            expected[place if 0 <= place < 8 else old] += share / 2
    counts = np.bincount(after[:, 0], minlength=8)
    seen = expected > 0
    assert counts[~seen].sum() == 0
    assert stats.chisquare(counts[seen], 28_000 * expected[seen]).pvalue > 1e-4


def test_genes_without_an_order_are_reset_beside_ordered_ones_and_none_need_change():
    n, p = 40_000, 1 / int(FREE.sum())
    ordered = np.zeros(len(CARDINALITIES), dtype=bool)
    ordered[[2, 4]] = True
    before = genomes(n)
    after = mutate(before, CARDINALITIES, np.random.default_rng(30), ordered=ordered)
    for gene in np.flatnonzero(FREE & ~ordered):
        changed = after[:, gene] != before[:, gene]
        assert stats.binomtest(int(changed.sum()), n, p).pvalue > 1e-4
        if CARDINALITIES[gene] > 2:
            steps = (after - before)[changed, gene] % CARDINALITIES[gene]
            assert stats.chisquare(np.bincount(steps, minlength=CARDINALITIES[gene])[1:]).pvalue > 1e-4
    for gene in np.flatnonzero(ordered):
        options = int(CARDINALITIES[gene])
        weights = np.array([length**-LENGTH_EXPONENT for length in range(1, options)])
        moved = np.abs((after - before)[:, gene].astype(int))
        for length, share in enumerate(weights / weights.sum(), start=1):
            expected = p * share * (1 - length / options)  # genomes are uniform: so many have room for it
            assert stats.binomtest(int((moved == length).sum()), n, expected).pvalue > 1e-4


def test_ordered_genes_of_children_lie_about_their_parents_as_numbers_do():
    """Spread of simulated binary crossover: half of the density lies inside, with index 3 by the fourth power."""
    n, options = 40_000, 200_001
    cardinalities, ordered = np.array([options, 5]), np.array([True, False])
    first = np.tile(np.array([99_000, 0], dtype=np.int64), (n, 1))
    second = np.tile(np.array([101_000, 4], dtype=np.int64), (n, 1))
    child = crossover(first, second, np.random.default_rng(40), cardinalities=cardinalities, ordered=ordered)
    assert set(np.unique(child[:, 1]).tolist()) == {0, 4}  # an operation has no middle
    between = ~np.isin(child[:, 0], (99_000, 101_000))
    # Half of the children are crossed as numbers, half of their genes; few of these round to a parent.
    assert stats.binomtest(int(between.sum()), n, NUMERIC_SHARE / 2).pvalue > 1e-4
    found = child[between, 0]
    spread = np.abs(found - 100_000) / 1_000
    assert stats.binomtest(int((spread < 1).sum()), len(found), 0.5).pvalue > 1e-4
    inside = spread[spread < 1]
    assert stats.kstest(inside ** (CROSSOVER_INDEX + 1), "uniform").pvalue > 1e-4
    outside = spread[spread > 1]
    assert stats.kstest(outside ** -(CROSSOVER_INDEX + 1), "uniform").pvalue > 1e-3
    assert stats.binomtest(int((found > 100_000).sum()), len(found), 0.5).pvalue > 1e-4
    # What is not crossed as a number comes from either parent, most from the first.
    second_share = (1 - NUMERIC_SHARE) * 0.5
    assert stats.binomtest(int((child[:, 0] == 101_000).sum()), n, second_share).pvalue > 1e-4


def test_crossed_numbers_stay_within_bounds_and_where_parents_agree():
    cardinalities, ordered = np.array([3, 8, 5, 8]), np.array([True, True, False, True])
    first, second = genomes(4_000, cardinalities, 1), genomes(4_000, cardinalities, 2)
    child = crossover(first, second, np.random.default_rng(41), cardinalities=cardinalities, ordered=ordered)
    assert child.dtype == np.int16
    assert ((child >= 0) & (child < cardinalities)).all()
    np.testing.assert_array_equal(child[first == second], first[first == second])
    strange = (child != first) & (child != second)
    assert strange[:, ordered].any(axis=0).all()
    assert not strange[:, 2].any()


def test_an_order_of_two_options_and_no_order_draw_as_if_there_were_none():
    two = np.array([2, 2, 5, 1])
    before = genomes(500, two)
    for ordered in (np.array([True, True, False, False]), np.zeros(4, dtype=bool)):
        plain, given_order = np.random.default_rng(8), np.random.default_rng(8)
        expected = mutate(before, two, plain)
        np.testing.assert_array_equal(mutate(before, two, given_order, ordered=ordered), expected)
        crossed = crossover(before, expected, plain)
        again = crossover(before, expected, given_order, cardinalities=two, ordered=ordered)
        np.testing.assert_array_equal(again, crossed)
        assert plain.bit_generator.state == given_order.bit_generator.state


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12), st.integers(1, 30), st.integers(0, 2**32))
def test_offspring_of_ordered_choices_stay_in_range(cardinalities, n, seed):
    cardinalities = np.array(cardinalities)
    rng = np.random.default_rng(seed)
    ordered = rng.random(len(cardinalities)) < 0.7
    child = genomes(n, cardinalities, seed)
    child = crossover(child, genomes(n, cardinalities, seed + 1), rng, cardinalities=cardinalities, ordered=ordered)
    child = mutate(child, cardinalities, rng, ordered=ordered)
    assert child.dtype == np.int16
    assert ((child >= 0) & (child < cardinalities)).all()
