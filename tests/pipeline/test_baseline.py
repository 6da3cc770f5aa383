"""A search beside random sampling: one scale, pairs of equal cost, and a run that replays it."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from evonas import read_front
from evonas.config import make_settings
from evonas.pareto.objective import Objective
from evonas.pipeline import run as pipeline
from evonas.pipeline.baseline import (
    BASELINE_FILE,
    FEWEST_PAIRS,
    compare_hypervolume,
    draw_random,
    improvement,
    match_costs,
)
from evonas.pipeline.problem import SearchProblem
from evonas.report.closing import closing_lines
from evonas.report.contents import gather
from evonas.report.figures import progress
from evonas.report.summary import baseline_sentence

ACC, FLOPS = Objective("acc", "", "max"), Objective("flops", "", "min")
DIRECTIONS = ["max", "min"]
VALUES = arrays.arrays(float, (7, 2), elements=st.floats(0, 1, width=16))


def test_hypervolume_by_hand_on_the_scale_of_both():
    found = np.array([[0.5, 5.0], [1.0, 10.0]])
    random = np.array([[0.0, 0.0], [0.5, 10.0]])
    every = np.ones(2, dtype=bool)
    got = compare_hypervolume(found, every, random, every, DIRECTIONS)
    assert got["reference_point"] == pytest.approx([-0.1, 11.0])
    first, both = 0.6 * 0.6 / 1.21, (0.6 * 0.6 + 1.1 * 0.1 - 0.6 * 0.1) / 1.21
    assert got["search"]["evaluations"] == [1, 2]
    assert got["search"]["hypervolume"] == pytest.approx([first, both])
    ends = 0.1 * 1.1 / 1.21
    assert got["random"]["hypervolume"] == pytest.approx([ends, ends + (0.6 - 0.1) * 0.1 / 1.21])


def test_infeasible_and_failed_architectures_add_nothing():
    found = np.array([[0.5, 5.0], [1.0, 0.0], [math.nan, 0.0], [0.0, 10.0]])
    able = np.array([True, False, True, True])
    random = np.array([[1.0, 0.0]])
    got = compare_hypervolume(found, able, random, np.array([True]), DIRECTIONS)
    assert got["search"]["hypervolume"] == pytest.approx([0.36 / 1.21] * 4)
    assert got["random"]["hypervolume"] == [1.0]
    nothing = compare_hypervolume(found, ~every(4), random, ~every(1), DIRECTIONS)
    assert nothing == {
        "reference_point": [],
        "search": {"evaluations": [], "hypervolume": []},
        "random": {"evaluations": [], "hypervolume": []},
    }


def every(n: int) -> np.ndarray:
    return np.ones(n, dtype=bool)


@given(VALUES, VALUES)
def test_curves_rise_within_one_scale_and_sides_are_treated_alike(found, random):
    got = compare_hypervolume(found, every(7), random, every(7), DIRECTIONS)
    for name in ("search", "random"):
        curve = got[name]["hypervolume"]
        assert all(a <= b + 1e-12 for a, b in pairwise(curve))
        assert 0 <= curve[-1] <= 1 + 1e-12
    turned = compare_hypervolume(random, every(7), found, every(7), DIRECTIONS)
    assert turned["search"] == got["random"]
    assert turned["reference_point"] == got["reference_point"]


def test_a_member_is_matched_with_the_best_that_costs_no_more():
    random = np.array([[0.9, 9.0], [0.6, 4.0], [0.7, 5.0], [0.99, 1.0], [math.nan, 1.0]])
    able = np.array([True, True, True, False, True])
    members = np.array([[0.8, 5.0], [0.95, 9.0], [0.5, 3.0]])
    assert match_costs(members, random, able, [ACC, FLOPS]) == [2, 0, None]
    assert match_costs(members[:, ::-1], random[:, ::-1], able, [FLOPS, ACC]) == [2, 0, None]


def test_a_single_objective_is_matched_with_the_best_of_all():
    assert match_costs(np.array([[0.8]]), np.array([[0.1], [0.7]]), every(2), [ACC]) == [1]


def test_improvement_by_hand_and_its_interval_only_of_enough_pairs():
    few = improvement([("a", "b"), ("c", None), ("d", "unknown")], {"a": 0.9, "b": 0.6, "d": 1.0})
    assert few["value"] == pytest.approx(50)
    assert few["low"] is few["p"] is None
    assert (few["pairs"], few["unmatched"]) == (1, 2)
    reports = {f"m{i}": 0.8 + 0.01 * i for i in range(FEWEST_PAIRS)} | {f"r{i}": 0.4 for i in range(FEWEST_PAIRS)}
    many = improvement([(f"m{i}", f"r{i}") for i in range(FEWEST_PAIRS)], reports)
    assert many["value"] == pytest.approx(105)
    assert many["low"] < 105 < many["high"]
    assert improvement([("a", None)], {}) is None
    assert improvement([("a", "b")], {"a": 0.5, "b": 0.0}) is None


def test_random_architectures_keep_to_cheap_bounds_and_extend(tiny):
    problem = SearchProblem(make_settings(space=tiny, objectives="flops", constraint="flops<=60000", population=10))
    long = [str(form) for form in draw_random(problem, 35)]
    assert len(set(long)) == 35
    assert [str(form) for form in draw_random(problem, 15)] == long[:15]
    flops = [row["flops"].value for row in problem.bounds.cheap["flops"].evaluate(draw_random(problem, 35))]
    assert max(flops) <= 60000


def test_a_space_that_is_exhausted_gives_what_it_has(tiny):
    class Few:
        def sample(self, n, rng):
            return None, [int(i) for i in rng.integers(3, size=n)]

    class Small:
        settings, bounds = make_settings(population=2), Few()

    assert sorted(draw_random(Small(), 100)) == [0, 1, 2]


def test_a_run_with_a_baseline_replays_it_and_shows_it(tiny, tmp_path):
    quick = {"space": tiny, "epochs": 1, "population": 4, "generations": 2, "warm_start": 0, "train_limit": 300}
    quick["estimator"] = "supernet:loss"  # the default reads over a hundred paths first
    run = pipeline.search(make_settings(**quick), tmp_path / "run")
    assert not (run.path / BASELINE_FILE).exists()
    front = (run.path / "front.csv").read_text()
    members = run.store.members()
    assert "others" not in progress(gather(run))

    run = pipeline.resume(run.path, baseline=True)
    text = (run.path / BASELINE_FILE).read_text()
    baseline = json.loads(text)
    assert baseline["evaluations"] == 8
    assert (run.path / "front.csv").read_text() == front
    assert run.store.members() == members
    assert run.manifest["timings"]["baseline_evaluations_computed"] > 0
    shown = progress(gather(run))
    assert shown["others"]["random sampling"] == baseline["random"]
    assert shown["hypervolume"] == baseline["search"]["hypervolume"]
    assert baseline_sentence(baseline) in closing_lines(run, read_front(run))

    run = pipeline.resume(run.path)  # it was asked for once, and stays
    assert (run.path / BASELINE_FILE).read_text() == text
    assert run.manifest["timings"]["baseline_evaluations_computed"] == 0
    run = pipeline.resume(run.path, generations=3)
    longer = json.loads((run.path / BASELINE_FILE).read_text())
    assert longer["evaluations"] == 12

    same = pipeline.search(make_settings(**quick, baseline=True), tmp_path / "same")
    assert (same.path / BASELINE_FILE).read_text() == text
