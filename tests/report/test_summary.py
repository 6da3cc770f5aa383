from __future__ import annotations

from dataclasses import replace

import pytest

from evonas.report import gather
from evonas.report.closing import closing_lines
from evonas.report.summary import broken_sentence, found, limits
from evonas.runs.front_file import read_front
from evonas.runs.run import Run


def read(path):
    with Run.open(path) as run:
        return gather(run)


def test_what_was_found_and_what_limits_trust_is_said(make_run):
    contents = read(make_run(objectives=("acc", "flops", "latency")))
    text = " ".join(found(contents))
    assert "120 architectures" in text
    assert f"hypervolume is {contents.front.hypervolume:.4f}" in text
    assert "reference point acc" in text
    trust = " ".join(limits(contents))
    for part in ("shared weights", "Kendall", "median error was 3.1%", "3 evaluations failed", "one seed"):
        assert part in trust
    assert "No member has been trained" not in trust


def test_what_an_estimate_counts_is_said(make_run):
    contents = read(make_run())
    weights = {"shared weights": 0.25, "FLOPs": 0.35, "SWAP": 0.4}
    trust = " ".join(limits(replace(contents, manifest={**contents.manifest, "acc_weights": weights})))
    assert "shared weights 25%, FLOPs 35%, SWAP 40%" in trust


def test_an_untrained_front_is_called_a_guess(make_run):
    trust = " ".join(limits(read(make_run(extras=False))))
    assert "No member has been trained to the end yet" in trust


def test_accuracies_of_a_table_are_not_called_estimates(make_run):
    contents = read(make_run(extras=False))
    trust = " ".join(limits(replace(contents, settings={**contents.settings, "table": ["t.csv"]})))
    assert "shared weights" not in trust
    assert "trained" not in trust


def test_a_search_under_way_is_told_as_such(make_run):
    assert "under way" in found(read(make_run(ended=False)))[0]


@pytest.mark.parametrize("objectives", [("acc",), ("acc", "flops")])
def test_empty_fronts_and_single_objectives_have_words(make_run, objectives):
    contents = read(make_run(objectives=objectives))
    empty = replace(contents, front=replace(contents.front, members=(), hypervolume=None))
    assert found(empty)
    assert found(contents)
    assert limits(contents)


def test_random_sampling_at_equal_cost_is_told_with_its_interval(make_run):
    with Run.open(make_run()) as run:
        contents = gather(run)
    side = {"evaluations": [120], "hypervolume": [0.5]}
    improved = {"value": 3.0, "low": 1.0, "high": 5.0, "confidence": 0.95, "p": 0.01, "pairs": 7, "unmatched": 0}
    baseline = {"evaluations": 120, "search": side, "random": side, "reference_point": [], "improvement": improved}
    told = " ".join(limits(replace(contents, baseline=baseline)))
    improved["pairs"] = 1
    assert "over 1 pair, too few to tell" in " ".join(limits(replace(contents, baseline=baseline)))
    assert "of no higher cost: +3.0 % (95% interval +1.0 to +5.0 %) over 7 pairs." in told
    assert "andom sampling" not in " ".join(limits(contents))


def test_a_search_ends_with_the_place_of_its_report(make_run):
    with Run.open(make_run()) as run:
        front = read_front(run)
        assert not any("report.html" in line for line in closing_lines(run, front))
        (run.path / "report.html").touch()
        assert any(str(run.path / "report.html") in line for line in closing_lines(run, front))


def test_one_member_is_no_members():
    assert broken_sentence(1).startswith("1 member, marked !, breaks")
    assert broken_sentence(2).startswith("2 members, marked !, break ")
