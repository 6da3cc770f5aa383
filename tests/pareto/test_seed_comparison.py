"""Comparison of seeds: one reference point for all, hypervolume by hand, and what comes back."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from evonas.errors import SettingsError
from evonas.pareto.front import Front, Member
from evonas.pareto.objective import Objective
from evonas.pareto.seed_comparison import compare_seeds

OBJECTIVES = (Objective("acc", "fraction of images", "max"), Objective("flops", "multiply-adds", "min"))


def front(**members: tuple[float, float]) -> Front:
    return Front(OBJECTIVES, tuple(Member(name, {"acc": a, "flops": f}) for name, (a, f) in members.items()))


FRONTS = {3: front(a=(0.5, 0.0), b=(1.0, 10.0)), 4: front(a=(0.5, 0.0)), 5: front(c=(0.75, 5.0), a=(0.4, 0.0))}


def test_hypervolume_is_a_share_of_one_box_for_all_seeds():
    found = compare_seeds(FRONTS)
    # The worst values are 0.4 and 10, a tenth of the range beyond them is the reference point.
    assert found.reference == pytest.approx((0.34, 11.0))
    box = 0.66 * 11.0
    expected = {3: (0.16 * 11 + 0.5 * 1) / box, 4: 0.16 * 11 / box, 5: (0.06 * 11 + 0.35 * 6) / box}
    assert found.hypervolume == pytest.approx(expected)
    assert found.mean == pytest.approx(sum(expected.values()) / 3)
    assert found.deviation == pytest.approx((sum((v - found.mean) ** 2 for v in expected.values()) / 2) ** 0.5)


def test_median_front_has_natural_directions_and_architectures_come_back_by_their_text():
    found = compare_seeds(FRONTS)
    assert found.half == 2
    assert found.median_front is not None
    assert sorted(found.median_front.tolist()) == [[0.5, 0.0], [0.75, 10.0]]
    assert (found.recurrences[0].architecture, found.recurrences[0].seeds) == ("a", (3, 4, 5))
    assert found.recurrences[0].ends == {"acc": (0.4, 0.5), "flops": (0.0, 0.0)}


def test_files_hold_the_same_numbers():
    found = compare_seeds(FRONTS)
    content = json.loads(found.to_json())
    assert content["hypervolume"]["by_seed"].keys() == {"3", "4", "5"}
    assert [one["seeds"] for one in content["attainment"]] == [1, 2, 3]
    rows = list(csv.DictReader(io.StringIO(found.members_csv())))
    assert [(row["seed"], row["architecture"], row["on_fronts"]) for row in rows] == [
        ("3", "a", "3"), ("3", "b", "1"), ("4", "a", "3"), ("5", "c", "1"), ("5", "a", "3"),
    ]  # fmt: skip
    reached = [row["reached_by"] for row in csv.DictReader(io.StringIO(found.attainment_csv()))]
    assert reached == sorted(reached)


def test_a_seed_without_a_front_reaches_nothing_and_what_breaks_a_bound_does_not_count():
    broken = replace(FRONTS[3].members[1], breaks=("flops<=5",))
    found = compare_seeds({3: replace(FRONTS[3], members=(FRONTS[3].members[0], broken)), 4: None})
    assert found.hypervolume[4] == 0.0
    assert [len(members) for members in found.fronts.values()] == [1, 0]
    assert len(found.surfaces[2]) == 0


def test_an_accuracy_that_is_a_score_with_one_seed_is_one_in_all():
    score = replace(FRONTS[4], objectives=(replace(OBJECTIVES[0], unit=""), OBJECTIVES[1]))
    assert compare_seeds({3: FRONTS[3], 4: score}).objectives[0].unit == ""


@pytest.mark.parametrize(
    ("fronts", "said"),
    [
        ({1: FRONTS[3]}, "two seeds"),
        ({1: FRONTS[3], 2: Front(OBJECTIVES[:1], ())}, "same objectives"),
        ({1: None, 2: None}, "No seed found"),
    ],
)
def test_what_cannot_be_compared_is_refused(fronts, said):
    with pytest.raises(SettingsError, match=said):
        compare_seeds(fronts)
