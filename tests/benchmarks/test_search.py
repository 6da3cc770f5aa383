from __future__ import annotations

import numpy as np
import pytest

from evonas.benchmarks import bench_search, members_of, table_rows
from evonas.errors import SettingsError
from evonas.pareto.correlation import spearman
from evonas.tables.load import load_table
from evonas.tables.table import Table


def mean(results, algorithm: str, evaluations: int) -> float:
    """Mean hypervolume over the seeds, in per cent of the true front's."""
    (found,) = (
        one["hypervolume"]
        for one in results["results"]
        if (one["algorithm"], one["evaluations"]) == (algorithm, evaluations)
    )
    return 100 * float(np.mean(found)) / results["true_hypervolume"]


def test_what_comes_back(codes, table):
    seen = []
    results = bench_search(
        codes,
        table,
        "acc:max,flops:min",
        evaluations=[60, 20, 100],
        seeds=4,
        progress=lambda name, seed: seen.append((name, seed)),
    )
    assert results["reference_point"] == [1.0, 1.0]
    assert [(one["algorithm"], one["evaluations"]) for one in results["results"]] == [
        (name, count) for name in ("random", "nsga2") for count in (20, 60, 100)
    ]
    assert all(len(one["hypervolume"]) == 4 for one in results["results"])
    assert all(0 < value <= results["true_hypervolume"] for one in results["results"] for value in one["hypervolume"])
    assert seen == [(name, seed) for name in ("random", "nsga2") for seed in range(4)]
    assert (results["members"], results["space"], results["table"]) == (729, "codes", "codes.csv")
    for curve in results["anytime"]:
        assert curve["evaluations"][-1] == 100
        assert np.all(np.diff([curve[key] for key in ("q25", "median", "q75")], axis=0) >= 0)
        assert np.all(np.diff(curve["median"]) >= 0)
    rows = table_rows(results)
    assert len(rows) == 24
    assert rows[0]["percent_of_true"] == pytest.approx(
        100 * results["results"][0]["hypervolume"][0] / results["true_hypervolume"]
    )


def test_a_seed_gives_the_same_search_whatever_else_is_asked_for(codes, table):
    alone = bench_search(codes, table, "acc,flops", algorithms=["nsga2"], evaluations=[50], seeds=[7])
    among = bench_search(codes, table, "acc,flops", evaluations=[50, 200], seeds=[3, 7])
    (one,) = alone["results"]
    (first, _) = (other for other in among["results"] if other["algorithm"] == "nsga2")
    assert first["hypervolume"][1] == one["hypervolume"][0]


def test_everything_evaluated_is_the_true_front(codes, table):
    results = bench_search(codes, table, "acc,params", evaluations=[5000], seeds=2)
    for one in results["results"]:
        assert one["hypervolume"] == pytest.approx([results["true_hypervolume"]] * 2)


def test_known_hypervolume_and_front(codes):
    # Scaled and minimised: (0, 1), (0.5, 0.5), (1, 0), and (1, 1), which is dominated.
    table = Table(
        {"acc": [3, 2, 1, 1], "ms": [30, 20, 10, 30]},
        texts=["000000", "000001", "000002", "000010"],
        space=codes,
    )
    results = bench_search(codes, table, "acc,ms", evaluations=[1, 4], seeds=1)
    assert results["true_hypervolume"] == 0.25
    assert results["true_front"] == 3


def test_nsga2_beats_random_where_there_is_something_to_learn(codes, table):
    results = bench_search(codes, table, "acc,flops", evaluations=[200], seeds=20)
    assert mean(results, "nsga2", 200) > mean(results, "random", 200)


def test_an_algorithm_of_ones_own(codes, table):
    def by_cost(oracle, rng):
        oracle.evaluate(np.argsort(oracle.cheap()[:, 1]))

    results = bench_search(
        codes,
        table.select(range(100)),
        "acc,size",
        algorithms={"by cost": by_cost},
        computed={"size": lambda architectures: [sum(one.genes) for one in architectures]},
        evaluations=[100],
        seeds=1,
    )
    assert results["results"][0]["hypervolume"] == [results["true_hypervolume"]]
    assert results["objectives"][1] == {"name": "size", "direction": "min", "cheap": True}


def test_an_algorithm_that_gives_up_keeps_what_it_had(codes, table):
    results = bench_search(
        codes, table, "acc,flops", algorithms={"lazy": lambda oracle, rng: oracle.evaluate([0, 700])},
        evaluations=[2, 50], seeds=1,
    )  # fmt: skip
    assert results["results"][0]["hypervolume"] == results["results"][1]["hypervolume"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"algorithms": ["nsga"]}, "No algorithm .nsga.: expected .*. Did you mean .nsga2."),
        ({"algorithms": []}, "one algorithm or more"),
        ({"seeds": 0}, "0 seeds"),
        ({"evaluations": []}, r"budgets \[\]"),
        ({"evaluations": [0, 5]}, r"budgets \[0, 5\]"),
    ],
)
def test_settings_that_make_no_sense(codes, table, settings, message):
    with pytest.raises(SettingsError, match=message):
        bench_search(codes, table, "acc,flops", **settings)


def multiply_adds(architectures) -> list[float]:
    """FLOPs of NAS-Bench-201 cells as written, on CIFAR-10 without classifier bias (closed form)."""
    fixed = 27 * 16 * 32**2 + sum((10 * c * 2 * c + 9 * 4 * c * c) * (512 // c) ** 2 for c in (16, 32)) // 4 + 640
    edges = ((str(one).count("nor_conv_3x3"), str(one).count("nor_conv_1x1")) for one in architectures)
    return [fixed + 5 * (9 * n3 + n1) * 3 * 16 * 16 * 32 * 32 for n3, n1 in edges]


@pytest.fixture(scope="module")
def searched(nasbench201, truth):
    table = load_table(truth / "nasbench201.csv.gz", nasbench201)
    return bench_search(
        nasbench201,
        table,
        "c10_test_200:max,flops:min",
        evaluations=[200, 500, 1000],
        seeds=30,
        computed={"flops": multiply_adds},
    )


def test_nasbench201_true_hypervolume(searched):
    assert searched["members"] == 15_625
    assert searched["true_hypervolume"] == pytest.approx(0.990994, abs=5e-7)
    assert searched["true_front"] == 13


def test_nsga2_beats_random_on_nasbench201_at_each_budget(searched):
    for evaluations in (200, 500, 1000):
        assert mean(searched, "nsga2", evaluations) > mean(searched, "random", evaluations)


def test_random_search_on_nasbench201_agrees_with_many_repetitions(searched):
    # Mean over 200 other seeds: 99.37, 99.60, 99.72; the standard error over 30 is 0.025 at 200.
    found = [mean(searched, "random", evaluations) for evaluations in (200, 500, 1000)]
    assert found == pytest.approx([99.37, 99.60, 99.72], abs=0.1)


def test_flops_rank_measured_latency_as_known(nasbench201, truth):
    table = load_table([truth / f"nasbench201{part}.csv.gz" for part in ("", "_latency")], nasbench201)
    flops = multiply_adds(table.architectures)
    for column, expected in (("fpga_ms", 0.938), ("gold_6226_ms", 0.889), ("pixel3_ms", 0.841)):
        assert spearman(flops, table[column]) == pytest.approx(expected, abs=5e-4)


def test_members_of_a_real_table_are_found_by_their_genomes(nasbench201, truth):
    table = load_table(truth / "nasbench201.csv.gz", nasbench201).select(range(0, 15_625, 97))
    members = members_of(nasbench201, table, "c10_test_200:max,c10_params_M")
    assert [members.row(genome) for genome in members.genomes] == list(range(len(table)))
