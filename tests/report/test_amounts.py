"""Amounts as screens show them."""

from __future__ import annotations

import pytest

from evonas.objectives.accuracy.accuracy import ACC
from evonas.pareto.front import Member
from evonas.pareto.objective import Objective, parse_constraint
from evonas.report.amounts import (
    FRACTION,
    bound_text,
    heading,
    headline,
    interval_of,
    known_heading,
    reference_text,
    shown,
)

FLOPS, SCORE = Objective("flops", "multiply-adds", "min"), Objective("acc", "", "max")


def member(**known: float) -> Member:
    return Member("a", {"acc": 0.9321, "flops": 5_330_000.0}, known)


@pytest.mark.parametrize(
    ("value", "name", "unit", "text"),
    [
        (0.9512, "acc", FRACTION, "95.12 %"),
        (1.0, "acc", FRACTION, "100.00 %"),
        (0.9512, "acc", "", "0.9512"),  # a score, or a table's column
        (0.5, "acc_report", "", "50.00 %"),
        (0.5, "acc_score", "", "0.5"),
        (0.5, "recall:cat", "fraction of images of a class", "50.00 %"),
        (0.5, "balanced_accuracy_report", "", "50.00 %"),
        (0.5, "macro_f1", "mean of the classes", "0.5 mean of the classes"),
        (5.33e6, "flops", "multiply-adds", "5.33 M multiply-adds"),
        (None, "acc", FRACTION, "–"),
        (float("nan"), "acc", FRACTION, "–"),
    ],
)
def test_accuracies_alone_are_in_percent(value: float | None, name: str, unit: str, text: str) -> None:
    assert shown(value, name, unit, with_unit=True) == text


def test_the_unit_is_that_of_the_objective() -> None:
    assert ACC.unit == FRACTION
    assert [heading(o) for o in (ACC, SCORE, FLOPS)] == ["acc ↑ (%)", "acc ↑", "flops ↓ (multiply-adds)"]
    assert known_heading("acc_report") == "acc_report (%)"
    assert known_heading("latency_measured") == "latency_measured"


def test_the_headline_has_its_interval() -> None:
    whole = member(acc_low=0.91, acc_high=0.95)
    assert headline(whole, ACC) == "93.2 (91.0 to 95.0)"
    assert headline(whole, ACC, with_unit=True) == "93.2 % (91.0 to 95.0)"
    assert headline(member(), ACC) == "93.21"
    assert headline(whole, SCORE) == "0.9321"
    assert interval_of(whole, SCORE) is None
    assert headline(whole, FLOPS, with_unit=True) == "5.33 M multiply-adds"


def test_bounds_and_reference_points_follow() -> None:
    assert bound_text(parse_constraint("acc>=95%"), FRACTION) == "acc ≥ 95 %"
    assert bound_text(parse_constraint("acc>=95")) == "acc ≥ 95"
    assert bound_text(parse_constraint("flops<=20M"), "multiply-adds") == "flops ≤ 20 M"
    assert reference_text((ACC, FLOPS), (0.5, 2e6)) == "acc 50.00 %, flops 2 M"
    assert reference_text((ACC, FLOPS), ()) == ""
