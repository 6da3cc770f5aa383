from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from evonas.cli.tables import cards_table
from evonas.pareto.assemble import make_front
from evonas.pareto.objective import Objective
from evonas.report.cards import cards, knee_warning, no_knee
from evonas.report.closing import closing_lines, wrapped
from evonas.runs.front_file import read_front
from evonas.runs.run import Run

ACC, FLOPS = Objective("acc", "fraction of images", "max"), Objective("flops", "multiply-adds", "min")


def best(value: float) -> dict[str, object]:
    return {"acc_best": {"best": value, "majority": 0.25, "images": 300, "of": "a member"}}


def front_of(values: list[list[float]]):
    return make_front([f"a{i}" for i in range(len(values))], np.array(values), [ACC, FLOPS])


def test_cards_are_knee_best_and_cheapest():
    front = front_of([[0.5, 1.0], [0.85, 2.0], [0.9, 9.0]])
    assert [(c.name, c.index, c.selection) for c in cards(front, {})] == [
        ("knee", 1, "knee"), ("best", 2, "best:acc"), ("cheapest", 0, "best:flops"),
    ]  # fmt: skip


def test_a_member_that_is_all_of_them_has_one_card():
    (card,) = cards(front_of([[0.9, 1.0], [0.5, 2.0]]), {})
    assert card.name == "knee, best, cheapest"


# Counting on 300 images errs by sqrt(0.25 * 0.75 / 300) = 0.025 as a standard error: the bar is at 0.30.
@pytest.mark.parametrize(("value", "names"), [(0.29, ["best", "cheapest"]), (0.31, ["knee", "best", "cheapest"])])
def test_a_search_that_learnt_nothing_has_no_knee_and_says_why(value: float, names: list[str]):
    front = front_of([[0.5, 1.0], [0.85, 2.0], [0.9, 9.0]])
    assert [card.name for card in cards(front, best(value))] == names
    why = no_knee(best(value))
    assert (why is None) == ("knee" in names)
    if why is not None:
        assert "learnt nothing yet: the best plain accuracy, 29.0 % of a member, is not beyond the 25.0 %" in why
        assert "(5.0 points on 300 images)" in why
        (warning,) = knee_warning(best(value), "knee")
        assert warning.startswith(f"Warning: {why}")
    assert knee_warning(best(value), "best:acc") == []
    assert front.select("knee").values["acc"] == 0.85  # it may be asked for all the same


def test_anchors_that_do_not_beat_chance_leave_the_knee():
    trust = {"acc_trust": {"agreement": {"acc": {"tau": 0.2, "low": -0.1, "high": 0.6, "n": 12, "needed": 40}}}}
    assert no_knee(trust) is None


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize("objectives", [("acc", "flops"), ("acc", "flops", "latency")])
def test_closing_words_fit_and_break_no_word(make_run, width: int, objectives: tuple[str, ...], calibrated: bool):
    with Run.open(make_run(objectives=objectives)) as run:
        (run.path / "report.html").touch()
        front = read_front(run)
        if calibrated:  # the widest that an accuracy is shown: with its interval
            own = (replace(front.objectives[0], unit="fraction of images"), *front.objectives[1:])
            members = tuple(replace(m, known={**m.known, "acc_low": 0.111, "acc_high": 0.999}) for m in front)
            front = replace(front, objectives=own, members=members)
        console = Console(file=io.StringIO(), width=width)
        console.print(cards_table(front, cards(front, run.manifest), width))
        words = closing_lines(run, front)
        lines = wrapped(words, width)
    table = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert all(len(line) <= width for line in table)
    assert "…" not in "".join(table)
    assert not calibrated or "(11.1 to 99.9)" in "".join(table)
    for name in ("knee", "best", "cheapest", *objectives):
        assert any(name in line for line in table)
    assert " ".join(lines).split() == " ".join(words).split()
    assert all(len(line) <= width or " " not in line.strip() or line.startswith("  ") for line in lines)
    if width >= 80:
        assert len(table) + len(lines) < 25
    assert lines[-2] == "Next:"
    assert lines[-1].startswith("  evonas train ")
