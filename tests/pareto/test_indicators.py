from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evonas.errors import SettingsError
from evonas.pareto.correlation import coverage, kendall, precision_at, spearman
from evonas.pareto.curves import min_max, quartiles, regret
from evonas.pareto.dominance import first_front
from evonas.pareto.improvement import relative_improvement
from evonas.pareto.indicators import hypervolume, hypervolume_curve, igd, igd_plus

NAN = math.nan
STAIRS = [(1, 4), (2, 2), (4, 1)]
properties = settings(deadline=None)  # no test here is about speed
unit = st.floats(0, 1, allow_subnormal=False)
points = st.integers(1, 3).flatmap(lambda m: arrays(float, st.tuples(st.integers(1, 12), st.just(m)), elements=unit))


# ----------------------------------------------------------------------------------------------- fronts


def test_hypervolume_of_three_stairs_is_eleven():
    assert hypervolume(STAIRS, (5, 5)) == 11.0


def test_hypervolume_with_the_reference_point_of_msunas():
    ref = 1.01 * np.array([4, 4])
    assert hypervolume(STAIRS, ref) / ref.prod() == pytest.approx(0.259876, abs=5e-7)


def test_points_outside_the_reference_or_failed_add_nothing():
    more = [*STAIRS, (0, 5), (6, 0), (NAN, 0), (0, NAN), (math.inf, 0)]
    assert hypervolume(more, (5, 5)) == 11.0
    assert hypervolume([(NAN, NAN)], (5, 5)) == 0.0
    assert hypervolume(np.empty((0, 2)), (5, 5)) == 0.0


@pytest.mark.parametrize(
    ("values", "ref"),
    [
        (STAIRS, (5,)),
        (STAIRS, (5, NAN)),
        (STAIRS, (5, math.inf)),
        ([1, 2], (5, 5)),
        ([(-math.inf, 0)], (5, 5)),
    ],
)
def test_hypervolumes_that_mean_nothing_are_refused(values, ref):
    with pytest.raises(SettingsError):
        hypervolume(values, ref)


@properties
@given(points, st.randoms(use_true_random=False))
def test_hypervolume_grows_with_points_and_ignores_order_and_dominated_ones(values, random):
    ref = np.ones(values.shape[1])
    whole = hypervolume(values, ref)
    assert 0 <= whole <= 1 + 1e-12
    assert hypervolume(values[:-1], ref) <= whole + 1e-12
    shuffled = list(range(len(values)))
    random.shuffle(shuffled)
    assert hypervolume(values[shuffled], ref) == pytest.approx(whole, abs=1e-12)
    assert hypervolume(values[first_front(values)], ref) == pytest.approx(whole, abs=1e-12)
    curve = hypervolume_curve(values, ref, range(len(values) + 1))
    assert curve[0] == 0
    assert np.all(np.diff(curve) >= -1e-12)
    assert curve[-1] == whole


def test_hypervolume_curve_refuses_more_evaluations_than_points():
    with pytest.raises(SettingsError, match="0 to 3 evaluations"):
        hypervolume_curve(STAIRS, (5, 5), [4])


def test_igd_and_igd_plus():
    front = [(0, 1), (0.5, 0.5), (1, 0)]
    assert igd([(0.6, 0.6)], front) == pytest.approx(0.527881, abs=5e-7)
    assert igd_plus([(0.6, 0.6)], front) == pytest.approx(0.447141, abs=1e-6)
    assert igd(front, front) == igd_plus(front, front) == 0.0
    assert igd([(0.6, 0.6), (NAN, 0)], front) == igd([(0.6, 0.6)], front)
    assert igd(np.empty((0, 2)), front) == igd_plus([(NAN, 0)], front) == math.inf


def test_igd_needs_a_front():
    with pytest.raises(SettingsError, match="finite front"):
        igd([(0, 0)], np.empty((0, 2)))
    with pytest.raises(SettingsError, match="finite front"):
        igd_plus([(0, 0)], [(0, 0, 0)])


def test_min_max_scales_each_column():
    scaled = min_max([(0, 10), (5, NAN), (10, 30)])
    np.testing.assert_array_equal(scaled, [(0, 0), (0.5, NAN), (1, 1)])
    with pytest.raises(SettingsError, match=r"column \[1\]"):
        min_max([(0, 1), (1, 1)])
    with pytest.raises(SettingsError, match="without any"):
        min_max([(0, NAN), (1, NAN)])


# ---------------------------------------------------------------------------------------------- rankings


def test_a_reversal_is_minus_one():
    assert kendall([3, 2, 1], [1, 2, 3]) == -1.0
    assert spearman([3, 2, 1], [1, 2, 3]) == -1.0


def test_one_swap_of_four():
    # 5 of 6 pairs agree; sum of squared rank differences is 2.
    assert kendall([1, 2, 4, 3], [1, 2, 3, 4]) == pytest.approx(4 / 6)
    assert spearman([1, 2, 4, 3], [1, 2, 3, 4]) == pytest.approx(1 - 6 * 2 / (4 * 15))


def test_ties_are_tau_b_and_mean_ranks():
    # Pairs: 5 agree, 0 disagree, one tied in the score: 5 / sqrt(5 * 6).
    assert kendall([1, 1, 2, 3], [1, 2, 3, 4]) == pytest.approx(5 / math.sqrt(30))
    assert spearman([1, 1, 2, 3], [1, 2, 3, 4]) == pytest.approx(np.corrcoef([1.5, 1.5, 3, 4], [1, 2, 3, 4])[0, 1])


def test_nan_pairs_are_left_out_and_counted_by_coverage():
    scores, truth = [1, 2, NAN, 3, 9], [1, 2, 0, 3, NAN]
    assert kendall(scores, truth) == spearman(scores, truth) == 1.0
    assert coverage(scores, truth) == 3 / 4
    assert math.isnan(coverage([1], [NAN]))


@pytest.mark.parametrize(("scores", "truth"), [([1, 1], [1, 2]), ([1, 2], [1, 1]), ([1], [1]), ([], [])])
def test_no_ranking_is_nan_not_zero(scores, truth):
    assert math.isnan(kendall(scores, truth))
    assert math.isnan(spearman(scores, truth))


def test_infinite_scores_are_ranked():
    assert spearman([-math.inf, 0, math.inf], [1, 2, 3]) == 1.0


def test_inside_the_true_top():
    truth = np.arange(20.0)
    scores = truth.copy()
    scores[-2:] = scores[-2:][::-1]
    assert kendall(scores, truth, top=0.10) == -1.0
    assert kendall(scores, truth, top=0.15) == pytest.approx(1 / 3)
    assert kendall(scores, truth, top=1.0) == kendall(scores, truth)
    assert math.isnan(kendall(scores, truth, top=0.05))


def test_true_top_counts_exactly_and_keeps_ties():
    truth = np.arange(30.0)
    scores = np.where(truth < 27, 100 - truth, truth)  # only the best three are in order
    assert kendall(scores, truth, top=0.1) == 1.0
    truth[26] = 27  # ties with the third best: four members, one tie
    assert kendall(np.append(np.zeros(26), [3, 2, 1, 0]), truth, top=0.1) == pytest.approx(-5 / math.sqrt(30))


def test_the_true_top_is_that_of_all_members_of_known_truth():
    truth = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    scores = [1, 2, 3, 4, 5, 6, 7, 8, 10, NAN]
    assert math.isnan(kendall(scores, truth, top=0.2))  # one pair is left inside the top two


@pytest.mark.parametrize("top", [0.0, -0.1, 1.5])
def test_true_top_must_be_a_share(top):
    with pytest.raises(SettingsError, match="share"):
        kendall([1, 2], [1, 2], top=top)


def test_shapes_must_fit():
    with pytest.raises(SettingsError, match="one score per truth"):
        spearman([1, 2], [1, 2, 3])


@properties
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=25))
def test_tau_b_agrees_with_its_definition(pairs):
    scores, truth = np.array(pairs, dtype=float).T
    assume(len(set(scores)) > 1 and len(set(truth)) > 1)
    upper = np.triu_indices(len(scores), 1)
    a, b = (np.sign(x[:, None] - x[None])[upper] for x in (scores, truth))
    expected = (a * b).sum() / math.sqrt((a != 0).sum() * (b != 0).sum())
    assert kendall(scores, truth) == pytest.approx(expected)
    assert kendall(-scores, truth) == pytest.approx(-expected)


def test_precision_at_k():
    truth = [1, 2, 3, 4, 5]
    assert precision_at([1, 2, 3, 4, 5], truth, 2) == 1.0
    assert precision_at([5, 4, 3, 2, 1], truth, 2) == 0.0
    assert precision_at([1, 2, 3, 5, 0], truth, 2) == 0.5
    assert precision_at([1, 2, 3, 5, 0], truth, 1, top=2) == 1.0
    assert precision_at([NAN, NAN, NAN, 5, NAN], truth, 2) == 0.5  # what is not scored is not chosen
    assert precision_at([9, 1, 2], [NAN, 1, 2], 1) == 1.0
    for k in (0, 6):
        with pytest.raises(SettingsError, match="between 1 and 5"):
            precision_at(truth, truth, k)


@properties
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=5), st.data())
def test_precision_with_ties_is_the_mean_over_all_orders(pairs, data):
    k = data.draw(st.integers(1, len(pairs)))
    orders = list(itertools.permutations(range(len(pairs))))

    def chances(values):
        """How often each member is among the k highest, over all orders in which ties may stand."""
        tops = [sorted(order, key=lambda i: -values[i])[:k] for order in orders]
        return np.bincount(np.ravel(tops), minlength=len(values)) / len(orders)

    scores, truth = zip(*pairs, strict=True)
    assert precision_at(scores, truth, k) == pytest.approx(chances(scores) @ chances(truth) / k)


# ------------------------------------------------------------------------------------------ searches and runs


def test_regret_falls_to_zero_when_everything_is_evaluated():
    truth = [3.0, NAN, 5.0, 4.0, 9.0]
    assert regret(truth, 9.0, [1, 2, 3, 5]).tolist() == [6, 6, 4, 0]
    assert regret([truth, truth[::-1]], 9.0, [1, 5]).tolist() == [[6, 0], [0, 0]]
    assert regret([NAN, 1.0], 2.0, [1, 2]).tolist() == [math.inf, 1.0]


def test_regret_of_what_the_estimate_selects_may_rise():
    assert regret([5.0, 1.0], 6.0, [1, 2], estimates=[0.1, 0.9]).tolist() == [1.0, 5.0]
    assert regret([5.0, NAN], 6.0, [2], estimates=[0.1, 0.9]).tolist() == [1.0]
    with pytest.raises(SettingsError, match="one shape"):
        regret([1.0], 1.0, [1], estimates=[1.0, 2.0])
    with pytest.raises(SettingsError, match="1 to 1 evaluations"):
        regret([1.0], 1.0, [2])


def test_quartiles_are_over_seeds():
    np.testing.assert_array_equal(quartiles([[0, 10], [1, 10], [2, 10], [3, 10], [4, 10]]), [[1, 10], [2, 10], [3, 10]])


def test_relative_improvement_of_published_means():
    # DARTS on CIFAR-10, Yang et al. 2020.
    result = relative_improvement([97.235], [96.9225])
    assert round(result.value, 2) == 0.32
    assert math.isnan(result.low)
    assert math.isnan(result.p)


def test_relative_improvement_of_runs():
    method = [97.47, 97.15, 97.41, 97.05, 96.93, 97.13, 97.40, 97.34]
    random = [97.05, 96.85, 96.57, 97.09, 96.76, 97.10, 96.94, 97.02]
    result = relative_improvement(method, random)
    assert round(result.value, 2) == 0.32
    assert 0 < result.low < result.value < result.high < 0.6
    assert result.p < 0.05
    assert result.runs == (8, 8)
    assert result == relative_improvement(method, random)


def test_mann_whitney_of_two_separate_triples():
    # 20 ways to divide six ranks, of which 2 are as extreme.
    assert relative_improvement([4, 5, 6], [1, 2, 3]).p == pytest.approx(2 / 20)


def test_no_improvement_where_the_method_is_random():
    runs = [90.0, 91.0, 92.0]
    result = relative_improvement(runs, runs)
    assert result.value == 0
    assert result.low < 0 < result.high
    assert result.p == 1.0


@properties
@given(arrays(float, (2, 6), elements=st.floats(10, 100)), st.floats(1e-3, 1e3))
def test_relative_improvement_does_not_depend_on_the_unit(runs, unit):
    plain, scaled = (relative_improvement(*(side * runs), resamples=200) for side in (1.0, unit))
    assert scaled.value == pytest.approx(plain.value, abs=1e-9)
    assert scaled.low == pytest.approx(plain.low, abs=1e-9)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        result = relative_improvement(rng.normal(101, 1, 30), rng.normal(100, 1, 30), rng=rng, resamples=400)
        covered += result.low <= 1.0 <= result.high
    assert 0.88 <= covered / 200 <= 0.99


@pytest.mark.parametrize(("method", "random"), [([], [1]), ([1], []), ([NAN], [1]), ([1], [0]), ([1], [-1, 0.5])])
def test_relative_improvement_refuses_what_has_no_ratio(method, random):
    with pytest.raises(SettingsError):
        relative_improvement(method, random)


def test_a_resample_of_zeros_is_an_infinite_improvement():
    result = relative_improvement([1.0, 1.0], [0.0, 1e-3])
    assert result.high == math.inf


def test_confidence_is_a_probability():
    with pytest.raises(SettingsError, match="confidence"):
        relative_improvement([1.0], [1.0], confidence=95)
