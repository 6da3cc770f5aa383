from __future__ import annotations

import math

import numpy as np
import pytest

from evonas.benchmarks import bench_protocol, bench_published, published
from evonas.errors import EvaluationError, SettingsError

# Relative improvement, per cent, as printed by Yang et al. 2020, on CIFAR-10, CIFAR-100, Sport8, MIT67 and
# Flowers102.
PRINTED = {
    "DARTS": (0.32, 0.23, -0.13, 0.10, 0.25),
    "P-DARTS": (0.52, 2.00, 0.51, 1.19, 0.20),
    "NSGA-Net": (-0.48, 1.37, 0.43, 2.00, 1.47),
    "ENAS": (0.01, -3.44, 0.67, 0.13, 0.47),
    "CNAS": (0.74, -0.89, -1.06, -0.66, -2.48),
    "MANAS": (0.18, -0.20, 0.33, 1.48, 0.70),
    "StacNAS": (0.43, 2.87, 0.38, 0.05, -0.16),
    "NAO": (0.44, -0.01, -2.05, -1.53, -0.13),
}


def test_published_table_is_whole():
    cells = published()
    assert len(cells) == 40
    for method, row in PRINTED.items():
        assert tuple(cell.printed for cell in cells if cell.method == method) == row


def test_improvements_of_the_means_are_the_printed_ones_but_for_two_swapped_labels():
    rows = {(row["method"], row["dataset"]): row for row in bench_published()}
    wrong = {key for key, row in rows.items() if row["corrected"]}
    assert wrong == {("DARTS", "Flowers102"), ("P-DARTS", "Flowers102")}
    assert rows["DARTS", "Flowers102"]["ri"] == rows["P-DARTS", "Flowers102"]["printed"] == 0.20
    assert rows["P-DARTS", "Flowers102"]["ri"] == rows["DARTS", "Flowers102"]["printed"] == 0.25
    assert all(row["ri"] == row["printed"] for key, row in rows.items() if key not in wrong)


def test_thirteen_of_forty_are_negative_and_the_mean_is_small():
    improvements = [cell.ri for cell in published()]
    assert sum(value < 0 for value in improvements) == 13
    assert np.mean(improvements) == pytest.approx(0.16, abs=0.005)


def accuracy(architectures, seed):
    return [50 + 5 * sum(gene == 2 for gene in one.genes) + 0.1 * seed for one in architectures]


def test_same_sampler_same_training(codes):
    calls = []

    def train(architectures, seed):
        calls.append((len(architectures), seed))
        return accuracy(architectures, seed)

    found = [codes.parse("222222"), codes.parse("222220")] * 4
    result = bench_protocol(codes, found, train, seeds=2, seed=3)
    assert calls == [(16, 3), (16, 4)]
    assert result["method"] == pytest.approx([80.35, 75.35] * 4)
    assert len(set(result["random_architectures"])) == len(result["random"]) == 8
    expected = 100 * (77.85 / np.mean(result["random"]) - 1)
    assert result["ri"] == pytest.approx(expected)
    assert result["low"] < result["ri"] < result["high"]
    assert result["p"] < 0.01
    assert result["seed_kendall"] == pytest.approx(1)
    assert result["failed"] == 0
    assert result == bench_protocol(codes, found, accuracy, seeds=2, seed=3)


def test_a_pool_is_drawn_from_without_repeats(codes):
    pool = [codes.parse("000000"), codes.parse("000001"), codes.parse("000002")]
    result = bench_protocol(codes, pool[:1], accuracy, random=3, pool=pool)
    assert sorted(result["random_architectures"]) == ["000000", "000001", "000002"]
    assert math.isnan(result["seed_kendall"])


def test_failed_trainings_are_counted_and_left_out(codes):
    def train(architectures, seed):
        values = np.array(accuracy(architectures, seed))
        values[0] = np.nan
        values[-1] = np.nan if seed == 0 else values[-1]
        return values

    found = [codes.parse("222222"), codes.parse("222220")]
    result = bench_protocol(codes, found, train, random=2, seeds=2)
    assert result["failed"] == 3
    assert math.isnan(result["method"][0])
    assert not any(math.isnan(value) for value in result["random"])
    with pytest.raises(EvaluationError, match="All trainings"):
        bench_protocol(codes, found, lambda architectures, seed: [np.nan] * len(architectures))


@pytest.mark.parametrize(
    ("found", "settings", "message"),
    [
        ([], {}, "found architectures"),
        (["222222"], {"seeds": 0}, "one seed or more"),
        (["222222"], {"random": 0}, "one random architecture or more"),
        (["222222"], {"random": 800}, "different architectures of codes"),
        (["222222"], {"random": 2, "pool": []}, "1 to 0 random architectures"),
    ],
)
def test_settings_that_make_no_sense(codes, found, settings, message):
    with pytest.raises(SettingsError, match=message):
        bench_protocol(codes, [codes.parse(text) for text in found], accuracy, **settings)


def test_training_must_judge_everything(codes):
    with pytest.raises(SettingsError, match="Expected 2 accuracies per seed"):
        bench_protocol(codes, [codes.parse("222222")], lambda architectures, seed: [1.0])
