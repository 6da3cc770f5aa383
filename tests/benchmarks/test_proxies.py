from __future__ import annotations

import math

import numpy as np
import pytest

from evonas.benchmarks import bench_proxies
from evonas.errors import SettingsError
from evonas.tables.load import load_table
from evonas.tables.table import Table

KEYS = {
    "proxy",
    "seed",
    "n",
    "spearman",
    "kendall",
    "kendall_top30",
    "kendall_top10",
    "kendall_top5",
    "coverage",
}


def test_floors_stand_beside_every_proxy(table):
    rows = bench_proxies(table, "acc", ["acc"], sources={}, seeds=2)
    assert [(row["proxy"], row["seed"]) for row in rows] == [
        (proxy, seed) for seed in (0, 1) for proxy in ("acc", "params", "flops")
    ]
    assert all(set(row) == KEYS and row["n"] == 729 and row["coverage"] == 1 for row in rows)
    assert rows[0]["spearman"] == pytest.approx(1)
    assert 0.5 < rows[1]["spearman"] < 1
    assert {**rows[0], "seed": 1} == rows[3]


def test_floors_are_not_repeated_where_they_are_asked_for(table):
    rows = bench_proxies(table, "acc", ["flops", "params"], sources={}, seeds=1)
    assert [row["proxy"] for row in rows] == ["flops", "params"]


def test_sources_get_architectures_and_seed(table):
    calls = []

    def source(architectures, seed):
        calls.append((len(architectures), seed))
        return [sum(one.genes) + seed for one in architectures]

    rows = bench_proxies(table, "acc", ["own"], sources={"own": source, "acc": None}, seeds=[4, 9], limit=50)
    assert calls == [(50, 4), (50, 9)]
    assert {row["n"] for row in rows} == {50}
    own, params = rows[0], rows[1]
    assert own["spearman"] == params["spearman"]  # the same rows for all proxies of a seed


def test_what_was_not_scored_is_counted(table):
    scores = np.where(np.arange(729) % 3 == 0, np.nan, table["acc"])
    rows = bench_proxies(table, "acc", ["own"], sources={"own": lambda *_: scores}, seeds=1)
    assert rows[0]["n"] == 486
    assert rows[0]["coverage"] == pytest.approx(2 / 3)
    assert rows[0]["kendall"] == pytest.approx(1)


def test_a_score_is_not_judged_by_a_column_that_is_itself(table):
    sources = {"acc": lambda architectures, seed: [-sum(one.genes) for one in architectures]}
    rows = bench_proxies(table, "acc", ["acc"], sources=sources, seeds=1)
    assert rows[0]["spearman"] < 0


def test_members_of_unknown_truth_are_left_out(codes):
    table = Table(
        {"acc": [1, np.nan, 3], "flops": [1, 2, 3], "params": [1, 2, 3]},
        texts=["000000", "000001", "000002"],
        space=codes,
    )
    assert [row["n"] for row in bench_proxies(table, "acc", [], sources={}, seeds=1)] == [2, 2]


def test_a_target_to_be_minimised_turns_the_ranking(table):
    up, down = (bench_proxies(table, f"acc:{way}", [], sources={}, seeds=1)[0] for way in ("max", "min"))
    assert down["spearman"] == pytest.approx(-up["spearman"])


def test_a_target_of_unknown_direction_is_better_when_higher(codes):
    table = Table(
        {"c10": [1, 2, 3], "flops": [1, 2, 3], "params": [1, 1, 1]},
        texts=["000000", "000001", "000002"],
        space=codes,
    )
    params, flops = bench_proxies(table, "c10", [], sources={}, seeds=1)
    assert flops["spearman"] == 1
    assert math.isnan(params["spearman"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"proxies": ["swp"], "sources": {"swap": None}}, "No proxy 'swp': .* Did you mean 'swap'"),
        ({"target": "accuracy"}, "No column 'accuracy'"),
        ({"target": "acc:up"}, "No column 'acc:up'"),
        ({"limit": 1}, "two or more architectures, got 1"),
        ({"seeds": []}, "one seed or more"),
    ],
)
def test_settings_that_make_no_sense(table, settings, message):
    settings = {"target": "acc", "proxies": [], "sources": {}, **settings}
    with pytest.raises(SettingsError, match=message):
        bench_proxies(table, settings.pop("target"), settings.pop("proxies"), **settings)


def test_floors_must_come_from_somewhere(codes):
    table = Table({"acc": [1, 2]}, texts=["000000", "000001"], space=codes)
    with pytest.raises(SettingsError, match="No proxy 'params'"):
        bench_proxies(table, "acc", [], sources={})


def test_stored_scores_of_nasbench201(nasbench201, truth):
    table = load_table(truth / "zero_cost_nasbench201.csv.gz", nasbench201)
    rows = {row["proxy"]: row for row in bench_proxies(table, "val_accuracy", ["synflow", "nwot"], sources={}, seeds=1)}
    assert {name: row["n"] for name, row in rows.items()} == {
        "synflow": 1103, "nwot": 725, "params": 1104, "flops": 1104,
    }  # fmt: skip
    assert rows["nwot"]["coverage"] == pytest.approx(725 / 1104)
    assert rows["synflow"]["spearman"] > rows["flops"]["spearman"] > 0.6


def test_sources_are_asked_together_where_they_can_be(table):
    asked = []

    def together(names, architectures, seed):
        asked.append((list(names), len(architectures), seed))
        return {name: [sum(one.genes) for one in architectures] for name in names}

    rows = bench_proxies(table, "acc", ["a", "b"], sources={"a": None, "b": None}, together=together, seeds=2)
    assert asked == [(["a", "b"], 729, 0), (["a", "b"], 729, 1)]
    assert [row["proxy"] for row in rows] == ["a", "b", "params", "flops"] * 2
    assert rows[0]["spearman"] == rows[1]["spearman"] == rows[2]["spearman"]
