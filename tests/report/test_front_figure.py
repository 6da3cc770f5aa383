from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evonas.pareto.assemble import make_front
from evonas.pareto.objective import Objective, parse_constraint
from evonas.report import Contents, front_panels, staircase

ACC, FLOPS, TIME = Objective("acc", "", "max"), Objective("flops", "", "min"), Objective("time", "ms", "min")


def contents(values, objectives=(ACC, FLOPS), constraints=()) -> Contents:
    values = np.array(values, dtype=float).reshape(-1, len(objectives))
    texts = tuple(f"a{i}" for i in range(len(values)))
    names = [o.name for o in objectives]
    bounds = [parse_constraint(c) for c in constraints]
    violations = np.array([[c.violation(row[names.index(c.objective)]) for c in bounds] for row in values])
    violations = violations.reshape(len(values), len(bounds))
    return Contents(
        path=Path("run"), settings={}, manifest={}, objectives=tuple(objectives), constraints=tuple(bounds),
        texts=texts, values=values, violations=violations, generations=np.zeros(len(values), dtype=int),
        parents=((),) * len(values), causes={}, front=make_front(texts, values, objectives, violations),
    )  # fmt: skip


def test_the_front_is_joined_and_failures_are_left_out():
    run = contents([[0.9, 30], [0.8, 20], [0.7, 25], [np.nan, 1], [0.6, 10]])
    (panel,) = front_panels(run, run.front.select("best:acc"))
    assert panel.evaluations.tolist() == [[30, 0.9], [20, 0.8], [25, 0.7], [10, 0.6]]
    assert panel.front.tolist() == panel.joined.tolist() == [[10, 0.6], [20, 0.8], [30, 0.9]]
    assert panel.selected.tolist() == [30, 0.9]
    assert (panel.x.name, panel.y.name, panel.log, panel.outside) == ("flops", "acc", False, 0)


def test_more_objectives_give_the_first_against_each_other_one():
    run = contents([[0.9, 30, 1], [0.8, 20, 5], [0.85, 25, 9]], (ACC, FLOPS, TIME))
    first, second = front_panels(run)
    assert [(p.x.name, p.y.name) for p in (first, second)] == [("flops", "acc"), ("time", "acc")]
    assert len(first.joined) == 3
    # In these two objectives alone the first member dominates the others.
    assert second.joined.tolist() == [[1, 0.9]]
    assert len(second.front) == 3


def test_a_single_objective_is_drawn_in_the_order_told_with_the_best_so_far():
    run = contents([[0.5], [0.4], [0.7], [0.6], [0.8]], (ACC,))
    (panel,) = front_panels(run, run.front[0])
    assert panel.joined.tolist() == [[1, 0.5], [3, 0.7], [5, 0.8]]
    assert panel.selected.tolist() == [5, 0.8]


def test_what_breaks_a_constraint_is_told_apart():
    (panel,) = front_panels(contents([[0.9, 30], [0.8, 20]], constraints=["flops<=25"]))
    assert panel.infeasible.tolist() == [[30, 0.9]]
    assert panel.front.tolist() == [[20, 0.8]]


def test_far_outliers_do_not_squeeze_the_rest_and_are_counted():
    values = [[0.9 - 0.001 * i, 100 - i] for i in range(100)] + [[0.0, 100.0]]
    (panel,) = front_panels(contents(values))
    assert panel.bounds[1, 0] > 0.7
    assert panel.outside == 1


def test_wide_costs_are_drawn_logarithmically():
    (panel,) = front_panels(contents([[0.9, 1e6], [0.8, 1e3]]))
    assert panel.log
    assert panel.bounds[0, 0] > 0


def test_an_empty_run_has_a_panel():
    (panel,) = front_panels(contents([]))
    assert len(panel.front) == len(panel.evaluations) == 0


def test_the_staircase_has_its_corner_where_both_are_worse():
    points = np.array([[10, 0.6], [20, 0.8]])
    assert staircase(points, FLOPS, ACC).tolist() == [[10, 0.6], [20, 0.6], [20, 0.8]]
    falling = np.array([[10, 5.0], [20, 2.0]])
    assert staircase(falling, FLOPS, TIME).tolist() == [[10, 5], [20, 5], [20, 2]]
    assert staircase(np.array([[0.6, 0.9], [0.7, 0.5]]), ACC, ACC).tolist() == [[0.6, 0.9], [0.6, 0.5], [0.7, 0.5]]
    assert len(staircase(np.zeros((0, 2)), FLOPS, ACC)) == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30))
def test_members_lie_within_the_bounds_and_the_joined_are_members(points):
    run = contents([[a / 10, b] for a, b in points])
    (panel,) = front_panels(run)
    front = {tuple(p) for p in panel.front.tolist()}
    assert {tuple(p) for p in panel.joined.tolist()} <= front
    low, high = panel.bounds.T
    assert ((panel.front >= low) & (panel.front <= high)).all()
    assert (np.diff(panel.joined[:, 0]) >= 0).all()
