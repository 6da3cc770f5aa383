"""Operators on integer problems: true fronts of costs, rows and tests."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from evonas.benchmarks.additive import cost_problem
from evonas.benchmarks.operators import OPERATORS, bench_operators, compare_operators
from evonas.errors import SettingsError
from evonas.evolution.integer_problems import grid_problem
from evonas.pareto.dominance import first_front
from evonas.spaces import load_space, shipped


@pytest.fixture(scope="module")
def smaller(tmp_path_factory):
    """Once-for-All with two stages of two blocks: all of its architectures can be enumerated."""
    text = shipped()["mobilenet_v3"].read_text()
    head, *stages = text.split("[[stages]]\n")
    last, rest = stages[-1].split("[head]")
    kept = [
        stages[0],
        *(s.replace("blocks = 4", "blocks = 2").replace("[2, 3, 4]", "[1, 2]") for s in (stages[1], last)),
    ]
    body = "[[stages]]\n".join([head, *kept]) + "[head]" + rest
    body = body.replace("kernel = [3, 5, 7]", "kernel = [3, 7]")
    # Skeletons give strides of every stage.
    body = "\n".join(line for line in body.splitlines() if not line.startswith("strides"))
    path = tmp_path_factory.mktemp("spaces") / "smaller.toml"
    path.write_text(body.replace('name = "mobilenet_v3"', 'name = "smaller"'))
    return load_space(path)


def test_the_front_of_summed_costs_is_that_of_all_architectures(smaller):
    problem = cost_problem(smaller, "small")
    genomes = np.array(list(itertools.product(*map(range, smaller.cardinalities.tolist()))), dtype=np.int16)
    assert len(genomes) == 5_184
    values = np.unique(problem.values(genomes), axis=0)
    np.testing.assert_array_equal(values[first_front(values)], problem.front)
    assert len(problem.front) > 10


def test_costs_are_asked_of_stages_at_one_resolution():
    with pytest.raises(SettingsError, match="space of stages at one resolution, got 'nasbench201'"):
        cost_problem(load_space("nasbench201"), "cifar")


def test_order_helps_where_options_are_many_and_rows_say_so():
    rows = bench_operators([grid_problem("zdt1", 11, 10)], evaluations=1000, seeds=6)
    assert [row["operators"] for row in rows] == list(OPERATORS) * 6
    assert {row["evaluations"] for row in rows} == {1000}
    (compared,) = compare_operators(rows)
    assert compared["igd_plus ordered"] < 0.2 * compared["igd_plus reset"]
    assert compared["igd_plus ordered"] <= compared["igd_plus pymoo-integer"] + 0.002
    assert compared["p_reset"] == 2 / 2**6  # every seed
    assert all(0 <= row["percent_of_true"] <= 100 for row in rows)


def test_equal_searches_are_no_difference():
    row = {"problem": "x", "seed": 0, "igd_plus": 0.5}
    (compared,) = compare_operators([{**row, "operators": operators} for operators in OPERATORS])
    assert (compared["p_reset"], compared["p_pymoo"]) == (1.0, 1.0)


def test_no_problem_is_refused():
    with pytest.raises(SettingsError, match="a problem or more"):
        bench_operators([])
