from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.errors import RunError, SettingsError
from evonas.pareto.assemble import make_front
from evonas.pareto.front import Front
from evonas.pareto.objective import Objective, parse_constraint

ACC, FLOPS = Objective("acc", "fraction", "max"), Objective("flops", "multiply-adds", "min")


def front_of(values, **more) -> Front:
    values = np.array(values, dtype=float)
    return make_front([f"a{i}" for i in range(len(values))], values, [ACC, FLOPS], **more)


def test_only_the_non_dominated_stay_in_order_of_cost():
    front = front_of([[0.9, 100], [0.8, 50], [0.7, 60], [0.95, 200], [np.nan, 1]])
    assert [m.architecture for m in front] == ["a1", "a0", "a3"]


def test_hypervolume_by_hand():
    # Scaled by what was seen: acc 0.7..0.9 and flops 50..100; the front is (0, 1), (0.5, 0.5) and (1, 0), and the
    # reference point (1.1, 1.1). Three boxes of 0.11, 0.36 and 0.11, less what they share, of a box of 1.21.
    front = front_of([[0.9, 100], [0.7, 50], [0.8, 75]])
    assert front.hypervolume == pytest.approx((0.11 + 0.36 + 0.11 - 0.06 - 0.06) / 1.21)
    assert front.reference == pytest.approx((0.68, 105.0))


def test_a_front_of_two_has_a_hypervolume():
    front = front_of([[0.9, 100], [0.7, 50]])
    assert front.hypervolume == pytest.approx((0.11 + 0.11 - 0.01) / 1.21)


@given(
    values=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12),
    scale=st.floats(1e-3, 1e6),
)
def test_the_reference_point_lies_beyond_all_that_was_seen_and_a_unit_changes_no_share(values, scale: float):
    table = np.array(values, dtype=float)
    front, scaled = front_of(table), front_of(table * [1.0, scale])
    assert front.reference[0] < table[:, 0].min()
    assert front.reference[1] > table[:, 1].max()
    assert 0.0 < front.hypervolume <= 1.0
    assert scaled.hypervolume == pytest.approx(front.hypervolume)


def test_what_breaks_a_constraint_is_not_on_the_front():
    front = front_of([[0.9, 100], [0.8, 50]], violations=np.array([[0.1], [0.0]]))
    assert [m.architecture for m in front] == ["a1"]


def test_nothing_feasible_is_an_empty_front():
    front = front_of([[0.9, 100]], violations=np.array([[1.0]]))
    assert len(front) == 0
    assert front.hypervolume is None
    with pytest.raises(RunError, match="empty"):
        front.select("knee")


def test_selection():
    front = front_of([[0.5, 10], [0.9, 20], [0.92, 100]])
    assert front.select("knee").architecture == "a1"
    assert front.select("best:acc").architecture == "a2"
    assert front.select("best:flops").architecture == "a0"
    assert front.select("index:1").architecture == "a1"
    assert front.select("a2").architecture == "a2"
    for wrong in ("index:3", "best:latency", "a7", "", "index:-1"):
        with pytest.raises(SettingsError):
            front.select(wrong)


def test_members_that_break_a_bound_once_measured_are_marked_and_not_selected():
    known = {"a1": {"latency_measured": 6.0, "latency_mad": 0.1}, "a0": {"latency_measured": 5.2, "latency_mad": 0.1}}
    front = front_of([[0.8, 50], [0.9, 100]], known=known, constraints=[parse_constraint("latency<=5")])
    assert [m.breaks for m in front] == [(), ("latency<=5",)]  # 5.2 is within three times its noise
    assert front.select("best:acc").architecture == "a0"


def test_where():
    front = front_of([[0.5, 10], [0.9, 20]], known={"a0": {"params": 5.0}, "a1": {"params": 9.0}})
    assert [m.architecture for m in front.where(["flops<=15"])] == ["a0"]
    assert [m.architecture for m in front.where(["params>=6", "acc>=0.1"])] == ["a1"]
    with pytest.raises(SettingsError, match="latency"):
        front.where(["latency<=1"])


def test_csv_and_json_hold_the_very_values():
    front = front_of([[1 / 3, 10], [0.9, 1e9 + 1]], known={"a0": {"acc_report": 0.1}})
    rows = list(csv.DictReader(io.StringIO(front.to_csv())))
    assert list(rows[0]) == ["architecture", "acc", "flops", "acc_report", "breaks"]
    assert float(rows[0]["acc"]) == 1 / 3
    assert rows[1]["acc_report"] == ""
    assert Front.from_json(front.to_json()) == front
    assert json.loads(front.to_json())["objectives"][0]["direction"] == "max"
    with pytest.raises(RunError, match="resume"):
        Front.from_json("{}")


def test_records_are_ready_for_a_data_frame_and_a_notebook():
    front = front_of([[0.5, 10], [0.9, 20]], known={"a1": {"acc_report": 0.25}})
    rows = front.records()
    assert [row["flops"] for row in rows] == [10, 20]
    assert [list(row) for row in rows] == [["architecture", "acc", "flops", "acc_report", "breaks"]] * 2
    assert rows[0]["acc_report"] is None
    html = front._repr_html_()
    assert html.count("<tr>") == 3
    assert "<td>0.25</td>" in html


def test_a_notebook_runs_nothing_that_stands_in_a_front():
    text = "<script>x</script>"
    front = make_front([text], np.array([[0.5, 1.0]]), [ACC, FLOPS], known={text: {text: 1.0}})
    assert "<script>" not in front._repr_html_()
    assert "&lt;script&gt;" in front._repr_html_()


def test_pandas_takes_the_records():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(front_of([[0.5, 10], [0.9, 20]]).records())
    assert frame["acc"].tolist() == [0.5, 0.9]


def test_members_equal_in_every_objective_are_one_value():
    front = front_of([[0.9, 100], [0.9, 100], [0.7, 50], [0.9, 100]])
    assert len(front) == 4
    assert front.distinct() == [(0, 0), (1, 2)]
