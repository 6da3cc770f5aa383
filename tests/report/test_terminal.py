"""The front for the terminal."""

from __future__ import annotations

from evonas.report import gather
from evonas.report.terminal import fitting, lines_below, narrowed, title_of
from evonas.runs.run import Run


def test_columns_without_room_are_left_out_from_the_end_but_never_the_objectives():
    titles, rows = ["index", "acc", "flops", "params"], [["0", "0.9", "1,000", "20"]]
    assert fitting(titles, rows, 3, 200) == titles
    assert fitting(titles, rows, 3, 40) == ["index", "acc", "flops"]
    assert fitting(titles, rows, 3, 5) == ["index", "acc", "flops"]


def test_columns_that_stay_but_have_no_room_lose_intervals_and_their_units_get_a_line():
    titles, rows = ["index", "acc ↑ (%)", "flops ↓ (multiply-adds)"], [["0", "50.0 (40.1 to 60.2)", "2.862 M", "9"]]
    assert narrowed(titles, rows, 80) == (titles, [rows[0][:3]], False)
    assert narrowed(titles, rows, 60) == (
        ["index", "acc ↑\n(%)", "flops ↓\n(multiply-adds)"], [["0", "50.0", "2.862 M"]], True
    )  # fmt: skip


def test_title_and_lines_follow_what_is_shown(make_run):
    path = make_run()
    with Run.open(path) as run:
        contents = gather(run)
    whole = contents.front
    some = whole.where([f"flops>={whole[1].values['flops']}"])
    assert title_of(whole, whole) == f"{len(whole)} members on the front"
    assert title_of(some, whole) == f"{len(whole) - 1} of {len(whole)} members on the front"
    lines = lines_below(contents, some, range(1, len(whole)), some[1], ["params"], "my run")
    assert lines[0] == "Not shown for want of room: params (--format csv has them)."
    assert lines[-1] == "  evonas deploy 'my run' --select index:2"
    none = whole.where(["flops<=1"])
    assert lines_below(contents, none, [], None, [], "r")[-1] == "No member keeps to all of --where."
