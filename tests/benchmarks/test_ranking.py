from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from evonas.benchmarks import draw_supernet
from evonas.benchmarks.ranking import summarize_trials, weighted_kendall

TRUTH = np.arange(40.0)


def trial(rule, seed, estimate, passes=100):
    forgetting = {f"{kind}{part}": 0.01 for kind in ("mean", "sd") for part in ("", "_first_quarter", "_last_quarter")}
    return {
        "rule": rule, "passes": passes, "seed": seed, "estimates": {"loss": list(estimate)}, "accuracy": 0.5,
        "trace_over_d": 1.0, "train_seconds": 2.0, "read_seconds": 1.0, "forgetting": forgetting,
    }  # fmt: skip


def results(*trials):
    return {
        "setting": {"target": "acc"}, "truth": TRUTH.tolist(), "floors": {"flops": (50 - TRUTH).tolist()},
        "trials": list(trials),
    }  # fmt: skip


def test_weights_count_members_as_often_as_they_occur():
    rng = np.random.default_rng(0)
    scores, truth = rng.integers(0, 6, 20).astype(float), rng.integers(0, 6, 20).astype(float)
    weights = rng.integers(0, 4, size=(5, 20)).astype(float)
    for one, tau in zip(weights.astype(int), weighted_kendall(scores, truth, weights), strict=True):
        assert tau == pytest.approx(kendalltau(np.repeat(scores, one), np.repeat(truth, one)).statistic)
    assert np.isnan(weighted_kendall(np.ones(20), truth, weights)).all()


def test_known_rankings_have_known_figures():
    noisy = TRUTH + np.random.default_rng(1).normal(0, 15, 40)
    rows = summarize_trials(results(trial("uniform", 0, noisy), trial("uniform", 1, TRUTH), trial("fair", 1, -TRUTH)))
    floor, uniform, fair = (row for row in rows if not row["estimate"].endswith("+flops"))
    assert (floor["rule"], floor["tau"], floor["top30"]) == ("flops", pytest.approx(-1), pytest.approx(-1))
    assert uniform["tau"] == pytest.approx((1 + kendalltau(noisy, TRUTH).statistic) / 2)
    assert uniform["tau_low"] < uniform["tau"] < uniform["tau_high"]
    assert "tau_gain" not in uniform
    assert fair["tau"] == pytest.approx(-1)
    assert fair["precision10"] == 0
    assert fair["regret"] == 39
    # With the one seed that both have uniform's tau is 1, whatever its other seed gave.
    assert fair["tau_gain"] == pytest.approx(-2)
    assert fair["tau_gain_low"] == pytest.approx(-2)


def test_no_gain_is_told_where_uniform_lacks_a_seed_or_the_budget():
    rows = summarize_trials(results(trial("uniform", 0, TRUTH), trial("fair", 1, TRUTH), trial("fair", 0, TRUTH, 200)))
    assert all("tau_gain" not in row for row in rows)
    assert [row["passes"] for row in rows] == [0, 100, 100, 200]


def test_a_gain_of_nothing_has_an_interval_of_nothing():
    """The bootstrap is paired: the same seeds and architectures on both sides."""
    noisy = [TRUTH + np.random.default_rng(seed).normal(0, 15, 40) for seed in range(3)]
    trials = [trial(rule, seed, noisy[seed]) for rule in ("uniform", "fair") for seed in range(3)]
    row = summarize_trials(results(*trials))[-1]
    assert (row["rule"], row["tau_gain"], row["tau_gain_low"], row["tau_gain_high"]) == ("fair", 0, 0, 0)


def test_the_scatter_is_a_png():
    pytest.importorskip("matplotlib")
    made = results(trial("uniform", 0, TRUTH), trial("fair", 0, TRUTH))
    made["rows"] = summarize_trials(made)
    assert draw_supernet(made, "loss").startswith(b"\x89PNG\r\n\x1a\n")
