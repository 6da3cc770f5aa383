from __future__ import annotations

from dataclasses import replace

from evonas.pareto.objective import Objective
from evonas.report import gather
from evonas.report.cards import cards
from evonas.report.first_screen import first_screen
from evonas.report.page import _data
from evonas.runs.run import Run


def read(path):
    with Run.open(path) as run:
        return gather(run)


def screen(contents) -> str:
    return first_screen(contents, cards(contents.front, contents.manifest))


def test_front_cards_and_trust_come_first_and_in_this_order(make_run):
    html = screen(read(make_run(objectives=("acc", "flops", "latency"))))
    places = [html.index(part) for part in ("id='front'", "<b>knee</b>", "<b>best</b>", "<b>cheapest</b>", "Trust: ")]
    assert places == sorted(places)
    assert "multiply-adds, " in html  # costs with their units
    assert "lowest flops; member 0, id " in html


def test_an_accuracy_is_a_percentage_with_its_interval_and_a_score_has_one_beside(make_run):
    contents = read(make_run())
    first = contents.front[0]
    assert "acc, a score; " in screen(contents)
    objectives = (Objective("acc", "fraction of images", "max"), *contents.objectives[1:])
    known = {**first.known, "acc_low": 0.412, "acc_high": 0.687}
    members = (replace(first, values={**first.values, "acc": 0.551}, known=known), *contents.front.members[1:])
    front = replace(contents.front, objectives=objectives, members=members)
    html = screen(replace(contents, objectives=objectives, front=front))
    assert "55.1 % (41.2 to 68.7)<small> acc</small>" in html
    assert "a score" not in html


def test_the_chart_marks_cards_by_their_names(make_run):
    contents = read(make_run())
    chosen = cards(contents.front, contents.manifest)
    data = _data(contents, chosen)
    assert data["cards"] == [{"name": card.name, "index": card.index} for card in chosen]
    assert [card["name"] for card in data["cards"]] == ["knee", "best", "cheapest"]


def test_where_nothing_was_learnt_there_is_no_knee_and_why(make_run):
    contents = read(make_run())
    manifest = {**contents.manifest, "acc_best": {"best": 0.11, "majority": 0.1, "images": 300, "of": "a member"}}
    html = screen(replace(contents, manifest=manifest))
    assert "<b>knee</b>" not in html
    assert "learnt nothing yet" in html
