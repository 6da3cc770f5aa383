from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evonas.report import figures, gather, make_page
from evonas.report.truths import truths
from evonas.runs.run import Run


@pytest.fixture
def contents(make_run):
    with Run.open(make_run(objectives=("acc", "flops", "latency"), n=120)) as run:
        return gather(run)


def test_points_are_columns_in_the_order_told(contents):
    points = figures.chart_points(contents)
    assert points["texts"] == list(contents.texts)
    assert [c["name"] for c in figures.columns(contents)][:3] == ["acc", "flops", "latency"]
    assert len(points["values"]) == len(figures.columns(contents))
    np.testing.assert_array_equal(np.array(points["values"][:3], dtype=float), contents.values.T)  # None becomes NaN
    assert [points["texts"][i] for i in points["front"]] == [m.architecture for m in contents.front]
    assert points["states"].count(2) == 3
    assert points["left_out"] == 0
    for child, parents in enumerate(points["parents"]):
        assert [points["texts"][i] for i in parents] == list(contents.parents[child])


@pytest.mark.parametrize("limit", [1, 20, 60, 119, 120, 500])
def test_thinned_points_keep_the_front_and_its_lineage_in_order(contents, limit):
    points = figures.chart_points(contents, limit)
    assert [points["texts"][i] for i in points["front"]] == [m.architecture for m in contents.front]
    order = [contents.indices[text] for text in points["texts"]]
    assert order == sorted(order)
    assert points["left_out"] == len(contents.texts) - len(order)
    assert len(order) <= limit + len(contents.front)
    full = figures.chart_points(contents)
    for new, old in enumerate(order):
        assert points["values"][1][new] == full["values"][1][old]
        assert {order[i] for i in points["parents"][new]} <= set(full["parents"][old])


def test_the_curve_rises_to_the_fronts_own_hypervolume(contents):
    curve = figures.progress(contents)
    assert curve["evaluations"][0] == 1
    assert curve["evaluations"][-1] == len(contents.texts)
    assert (np.diff(curve["hypervolume"]) >= -1e-12).all()
    assert curve["hypervolume"][-1] == pytest.approx(contents.front.hypervolume)


def test_a_run_of_failures_has_no_curve(contents):
    failed = replace(contents, values=np.full_like(contents.values, np.nan))
    assert figures.progress(failed) == {"evaluations": [], "hypervolume": []}


def test_estimates_are_compared_with_what_is_known_better(contents):
    pairs = {pair["truth"]: pair for pair in truths(contents)}
    assert set(pairs) == {"acc_report", "acc_trained", "latency_measured"}
    trained = pairs["acc_trained"]
    assert trained["kendall"] == pytest.approx(1.0)
    np.testing.assert_allclose(trained["truths"], np.minimum(0.99, 0.6 + 0.4 * np.array(trained["estimates"])))
    assert trained["gap"] == pytest.approx(np.mean(trained["truths"]) - np.mean(trained["estimates"]))
    measured = pairs["latency_measured"]
    assert measured["error"] == pytest.approx(1 - 1 / 1.04)
    assert measured["noise"] == [0.004] * len(contents.front)


def test_like_is_compared_with_like_where_the_search_ranked_by_a_smoother_score(contents):
    members = tuple(
        replace(m, known={**m.known, "acc_top1": m.known["acc_report"] + 0.03, "acc_trained": 0.9})
        for m in contents.front
    )
    known = replace(contents, front=replace(contents.front, members=members))
    pairs = {pair["truth"]: pair for pair in truths(known)}
    report, trained = pairs["acc_report"], pairs["acc_trained"]
    assert (report["estimate"], report["less"]) == ("acc_top1", "acc_top1")
    assert report["gap"] == pytest.approx(-0.03)
    assert report["kendall"] == pytest.approx(1.0)
    # What ranked is judged by its ranking, its accuracy by plain accuracy.
    assert (trained["estimate"], trained["less"]) == ("acc", "acc_top1")
    assert dict(zip(trained["texts"], trained["estimates"], strict=True)) == {
        m.architecture: m.values["acc"] for m in members
    }
    assert trained["gap"] == pytest.approx(0.9 - np.mean([m.known["acc_top1"] for m in members]))


def test_one_pair_has_no_rank_correlation(contents):
    text = contents.texts[0]
    (pair,) = truths(
        replace(
            contents,
            known={text: {"acc_verified": 0.5}},
            front=replace(contents.front, members=()),
        )
    )
    assert (pair["truth"], pair["kendall"], pair["spearman"]) == ("acc_verified", None, None)


def test_the_supernets_figures_are_those_of_its_file(contents):
    net = figures.supernet(contents)
    assert net["epochs"] == list(range(1, 21))
    assert net["losses"][0] == pytest.approx(2.3 * 0.8 + 0.2)
    assert net["seconds"] == pytest.approx(30)
    assert net["forgetting_mean"] == pytest.approx(-0.0235)
    empty = figures.supernet(replace(contents, supernet={}))
    assert empty["epochs"] == []
    assert empty["forgetting_mean"] is None


def test_failures_are_counted(contents):
    assert figures.failures(contents) == [("out of memory", 3)]


def test_timings_name_what_was_stored(contents):
    rows = dict(figures.timings(contents))
    assert rows["acc: 120 results, seconds in all"] == "12"
    assert rows["training the supernet, seconds"] == "30"


def test_predictors_are_told_round_by_round_in_the_order_of_rounds(make_run):
    with Run.open(make_run(), write=True) as run:
        for number, name in ((10, "tree"), (2, "ridge")):
            run.store.decide(
                f"surrogate {number}",
                lambda name=name: {"genomes": [], "predictors": {"0": {"name": name, "correlations": {"ridge": 0.5}}}},
            )
        contents = gather(run)
    assert figures.predictors(contents) == [
        {"round": 1, "objective": "acc", "predictor": "ridge", "spearman": 0.5},
        {"round": 2, "objective": "acc", "predictor": "tree", "spearman": None},
    ]
    page = make_page(contents)
    assert "<h3>Predictors</h3>" in page
    assert "ridge" in page
