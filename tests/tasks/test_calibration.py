"""Known answers of calibration: those of the study's sheet, of scikit-learn, and of brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as their_log_loss

from evonas.tasks.calibration import (
    bootstrap_interval,
    brier_score,
    classwise_error,
    expected_error,
    harmonic_score,
    kde_error,
    kernel_error,
    ks_error,
    log_loss,
    maximum_error,
    reliability_bins,
)
from evonas.tasks.calibration_scores import calibration_scores
from evonas.tasks.temperature import softmax

CONFIDENCE = np.array([0.95, 0.85, 0.75, 0.65])
RIGHT = np.array([True, True, False, True])


def drawn(n: int = 300, classes: int = 4, seed: int = 0, sure: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = sure * rng.normal(size=(n, classes))
    return softmax(logits), rng.integers(classes, size=n)


def calibrated(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(size=n)
    return confidence, rng.uniform(size=n) < confidence


def test_the_studys_four_images():
    assert [expected_error(CONFIDENCE, RIGHT, bins) for bins in (1, 2, 10)] == pytest.approx([0.05, 0.05, 0.325])
    assert maximum_error(CONFIDENCE, RIGHT, 10) == pytest.approx(0.75)
    assert expected_error(CONFIDENCE, RIGHT, 2, "mass") == pytest.approx(0.15)  # (.90 of 1) and (.70 of .5)
    # Cumulative: .65 - 1, + .75, + .85 - 1, + .95 - 1, in quarters.
    assert ks_error(CONFIDENCE, RIGHT) == pytest.approx(0.4 / 4)


def test_harmonic_scores_of_the_study():
    assert harmonic_score(0.94, 0.05) == pytest.approx(0.944974, abs=1e-6)
    assert harmonic_score(0.5, 0.5) == 0.5
    assert harmonic_score(0.0, 1.0) == 0.0


def test_bins_are_open_below_and_closed_above():
    found = reliability_bins(np.array([0.0, 0.5, 0.500001, 1.0]), np.array([0, 1, 1, 1]), 2)
    assert found.counts.tolist() == [2, 2]
    assert found.accuracy.tolist() == [0.5, 1.0]


def test_bins_of_equal_mass_hold_equally_many():
    confidence, right = calibrated(103)
    counts = reliability_bins(confidence, right, 10, "mass").counts
    assert (counts.sum(), counts.min(), counts.max()) == (103, 10, 11)


def test_errors_of_calibrated_answers_go_to_zero():
    for measure in (expected_error, ks_error, kde_error, kernel_error):
        few, many = (measure(*calibrated(n)) for n in (200, 40_000))
        assert many < few
        assert many < 0.012


@pytest.mark.parametrize("measure", [expected_error, kde_error, ks_error, kernel_error])
def test_answers_that_are_surer_than_right_are_told(measure):
    confidence, right = calibrated(4000)
    surer = np.minimum(1.0, confidence + 0.2)
    assert measure(surer, right) > measure(confidence, right) + 0.05


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_the_kernels_sum_is_that_over_all_pairs(pairs):
    confidence, right = np.array([c for c, _ in pairs]), np.array([r for _, r in pairs])
    away = right - confidence
    kernel = np.exp(-np.abs(confidence[:, None] - confidence) / 0.4)
    expected = np.sqrt(max(0.0, away @ kernel @ away)) / len(pairs)
    assert kernel_error(confidence, right) == pytest.approx(expected, abs=1e-7)
    assert 0 <= expected_error(confidence, right) <= maximum_error(confidence, right) + 1e-12 <= 1 + 1e-12
    assert 0 <= kde_error(confidence, right) <= 1
    assert ks_error(confidence, right) <= 1


def test_scores_are_scikit_learns():
    probabilities, targets = drawn()
    assert log_loss(probabilities, targets) == pytest.approx(their_log_loss(targets, probabilities))
    assert brier_score(probabilities, targets) == pytest.approx(
        brier_score_loss(targets, probabilities, scale_by_half=False)
    )


def test_classes_count_alike_and_two_classes_mirror_each_other():
    probabilities, targets = drawn(classes=2)
    one = expected_error(probabilities[:, 1], targets == 1, 10)
    # Of two classes one's probability is 1 less the other's, and so are their bins but for edges.
    assert classwise_error(probabilities, targets, 10) == pytest.approx(one, abs=1e-9)
    assert classwise_error(np.eye(3)[[0, 1, 2]], np.array([0, 1, 2])) == 0


def test_an_interval_holds_the_measure_and_shrinks():
    widths = []
    for n in (100, 10_000):
        confidence, right = calibrated(n)
        confidence = np.minimum(1, confidence + 0.1)
        low, high = bootstrap_interval(expected_error, confidence, right)
        assert low <= high
        assert (low, high) == bootstrap_interval(expected_error, confidence, right)
        widths.append(high - low)
    assert low < expected_error(confidence, right) < high
    assert widths[1] < widths[0] / 5


def test_scores_of_a_search_hold_before_and_after():
    rng = np.random.default_rng(0)
    targets = rng.integers(4, size=2000)
    logits = rng.normal(size=(2000, 4)) + 1.5 * np.eye(4)[targets]  # fits at temperature 2/3
    sure = softmax(8 * logits)
    found = calibration_scores(targets, sure.argmax(1), sure)
    right = targets == sure.argmax(1)
    assert found["ece"] == expected_error(sure.max(1), right) > 0.1
    assert found["ece_after"] < 0.04
    assert found["hcs"] == pytest.approx(harmonic_score(right.mean(), found["ece"]))
    other = softmax(logits)
    assert calibration_scores(targets, other.argmax(1), other)["ece_after"] == pytest.approx(
        found["ece_after"], abs=1e-6
    )


def test_the_harmonic_score_of_clean_and_robust_accuracy_is_the_studies():
    """HRS of clean and robust accuracy is the same mean, robust accuracy in the place of what is no error."""
    scores = [harmonic_score(clean, 1 - robust) for clean, robust in ((0.9, 0.3), (0.95, 0.0), (0.5, 0.5))]
    assert scores == pytest.approx([0.45, 0.0, 0.5])
