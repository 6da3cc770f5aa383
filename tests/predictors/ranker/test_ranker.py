from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evonas.pareto.correlation import kendall
from evonas.predictors.ranker import Ranker, SignalEncoder, shared_weight
from evonas.predictors.ranker.ranker import without_falling_trend
from evonas.spaces import load_space


@pytest.fixture(scope="module")
def known():
    """300 architectures of a chain of blocks, their accuracy a sum over blocks, and a joint score that knows half."""
    space = load_space("nasbench_macro")
    forms = [space.canonical(space.decode(genome)) for genome in space.sample(300, np.random.default_rng(0))]
    forms = list({str(form): form for form in forms}.values())
    genes = np.stack([space.encode(form) for form in forms]).astype(float)
    truth = genes @ np.array([3.0, 1, 2, 1, 3, 1, 1, 2])
    flops = 10.0 + genes[:, :4].sum(axis=1)
    encoder = SignalEncoder(space, ["flops"])
    free = (flops - flops.mean()) / flops.std()
    return encoder, encoder(forms, {"flops": flops}, free), truth, flops


def test_without_anchors_the_joint_score_ranks(known):
    encoder, signals, truth, flops = known
    none = np.zeros(0, dtype=np.int64)
    mean, spread = Ranker(encoder, signals, signals[none], truth[none], flops[none]).predict(signals)
    assert np.array_equal(mean, signals.free)
    assert (spread > 0).all()


def test_anchors_teach_what_the_joint_score_does_not_know(known):
    encoder, signals, truth, flops = known
    anchors, rest = np.arange(60), np.arange(60, len(truth))
    ranker = Ranker(encoder, signals, signals[anchors], truth[anchors], flops[anchors])
    found = kendall(ranker.predict(signals[rest])[0], truth[rest])
    assert found > 0.85
    assert found > kendall(signals.free[rest], truth[rest]) + 0.2
    assert kendall(ranker.left_out, truth[anchors]) > 0.7


def test_the_same_anchors_and_seed_teach_the_same(known):
    encoder, signals, truth, flops = known
    anchors = np.arange(30)
    first, second = (
        Ranker(encoder, signals, signals[anchors], truth[anchors], flops[anchors], seed=3) for _ in range(2)
    )
    assert np.array_equal(first.predict(signals)[0], second.predict(signals)[0])
    assert first.weights == second.weights


def test_noise_leaves_the_joint_score_in_charge(known):
    """Values that nothing foretells move nothing far."""
    encoder, signals, _truth, flops = known
    taus = []
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(size=12)
        ranker = Ranker(encoder, signals, signals[np.arange(12)], noise, flops[:12], shortness=2.0, seed=seed)
        taus.append(kendall(ranker.predict(signals)[0], signals.free))
    assert np.mean(taus) > 0.6


def test_fewer_than_six_anchors_and_equal_anchors_teach_nothing(known):
    encoder, signals, truth, flops = known
    for values in (truth[:5], np.ones(20)):
        ranker = Ranker(encoder, signals, signals[np.arange(len(values))], values, flops[np.arange(len(values))])
        assert not ranker.learned
        assert np.array_equal(ranker.predict(signals)[0], signals.free)


def test_shared_weights_count_by_their_agreement_until_there_are_anchors():
    free = np.arange(100.0)
    assert shared_weight(free, free) == 4.0
    assert shared_weight(-free, free) == 0.0
    assert shared_weight(np.ones(100), free) == 0.0
    noisy = free + 60 * np.random.default_rng(0).normal(size=100)
    from scipy.stats import spearmanr

    r = spearmanr(noisy, free).statistic
    assert shared_weight(noisy, free) == pytest.approx(min(4.0, r**2 / (1 - r**2)))


def test_shared_weights_that_contradict_the_joint_score_are_not_heard(known):
    encoder, signals, truth, flops = known
    forms = [encoder.space.decode(genome) for genome in encoder.space.sample(len(truth), np.random.default_rng(1))]
    none = np.zeros(0, dtype=np.int64)
    against = encoder(forms, {"flops": flops}, signals.free, -signals.free[:, None])
    ranker = Ranker(encoder, against, against[none], truth[none], flops[none])
    assert np.array_equal(ranker.predict(against)[0], signals.free)


def test_a_trend_that_falls_along_cost_is_taken_out_and_one_that_rises_stays():
    cost = np.linspace(0, 1, 200)
    assert np.allclose(without_falling_trend(cost - cost.mean(), cost), cost - cost.mean())
    wave = np.sin(40 * cost)
    left = without_falling_trend(wave - 3 * (cost - cost.mean()), cost)
    assert abs(np.polyfit(cost, left, 1)[0]) < 0.1


def test_of_short_trainings_the_joint_score_is_kept_longer(known):
    encoder, signals, truth, flops = known
    anchors = np.arange(60)
    long, short = (
        Ranker(encoder, signals, signals[anchors], truth[anchors], flops[anchors], shortness=shortness).weights
        for shortness in (0.0, 4.0)
    )
    assert short["free"] > long["free"]


def test_shared_weights_that_anchors_bear_out_count_and_others_get_nothing(known):
    """Of two supernets one tells the truth and one the opposite, whatever the joint score thinks of them."""
    encoder, signals, truth, flops = known
    forms = [encoder.space.decode(genome) for genome in encoder.space.sample(len(truth), np.random.default_rng(1))]
    both = encoder(forms, {"flops": flops}, signals.free, np.stack([truth, -truth], axis=1))
    anchors = np.arange(40)
    weights = Ranker(encoder, both, both[anchors], truth[anchors], flops[anchors]).weights
    assert weights["shared 0"] > 0.2
    assert weights["shared 1"] == 0.0


def test_only_the_order_of_a_score_counts():
    """A score with a tail as long as some have teaches what its logarithm teaches; a cost counts as it is."""
    space = load_space("nasbench_macro")
    forms = [space.canonical(space.decode(genome)) for genome in space.sample(80, np.random.default_rng(1))]
    forms = list({str(form): form for form in forms}.values())
    genes = np.stack([space.encode(form) for form in forms]).astype(float)
    truth, flops = genes @ np.array([3.0, 1, 2, 1, 3, 1, 1, 2]), 10.0 + genes[:, :4].sum(axis=1)
    anchors, found = np.arange(20), []
    for score in (truth - truth.mean(), np.sinh(truth - truth.mean())):
        encoder = SignalEncoder(space, ["flops", "score"])
        signals = encoder(forms, {"flops": flops, "score": score}, flops - flops.mean())
        ranker = Ranker(encoder, signals, signals[anchors], truth[anchors], flops[anchors])
        found.append(ranker.predict(signals)[0])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-8, atol=1e-8)
    assert kendall(found[0], truth) > 0.85


def test_what_other_spaces_teach_is_a_part_that_anchors_bear_out_or_not(known):
    encoder, signals, truth, flops = known
    none, anchors = np.zeros(0, dtype=np.int64), np.arange(40)
    found = {}
    for name, general in {"true": truth, "noise": np.random.default_rng(0).normal(size=len(truth))}.items():
        taught = replace(signals, general=(general - general.mean()) / general.std())
        before = Ranker(encoder, taught, taught[none], truth[none], flops[none])
        assert before.weights == {"free": pytest.approx(0.75), "general": pytest.approx(0.25)}
        assert before.predict(taught)[0] == pytest.approx(0.75 * taught.free + 0.25 * taught.general)
        found[name] = Ranker(encoder, taught, taught[anchors], truth[anchors], flops[anchors])
    assert found["true"].weights["general"] > found["noise"].weights["general"] + 0.03
    assert found["noise"].weights["general"] < 0.1
    without = Ranker(encoder, signals, signals[anchors], truth[anchors], flops[anchors])
    assert "general" not in without.weights
