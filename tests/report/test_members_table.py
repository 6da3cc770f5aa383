from __future__ import annotations

import re
from dataclasses import replace

from evonas.report import gather
from evonas.report.cards import cards
from evonas.report.members_table import members_table
from evonas.runs.run import Run


def read(path):
    with Run.open(path) as run:
        return gather(run)


def test_every_cell_has_the_number_to_sort_by_and_every_column_a_heading_that_sorts(make_run):
    contents = read(make_run(objectives=("acc", "flops", "latency")))
    html = members_table(contents, cards(contents.front, contents.manifest))
    rows = re.findall(r"<tr data-index.*?</tr>", html)
    assert len(rows) == len(contents.front)
    headings = html.count("class='sort'")
    assert headings == 2 + 3 + 4  # and acc_report, acc_trained, latency_mad, latency_measured
    assert {row.count("data-v=") for row in rows} == {headings}
    assert f"data-v='{contents.front[0].values['flops']!r}'" in rows[0]
    assert f"data-v='{100 * contents.front[0].known['acc_report']!r}'" in rows[0]  # as shown, in percent
    assert "<b>cheapest</b>" in rows[0]


def test_members_of_equal_value_are_one_row_with_the_others_folded(make_run):
    contents = read(make_run())
    first = contents.front[0]
    others = tuple(replace(first, architecture=f"copy {i}") for i in range(50))
    contents = replace(contents, front=replace(contents.front, members=(first, *others, *contents.front.members[1:])))
    html = members_table(contents, [])
    assert html.count(" data-equal='0' hidden") == 50
    assert html.count("and 50 more of equal value") == 1


def test_it_has_no_end_but_a_limit_that_is_told(make_run):
    contents = read(make_run())
    first = contents.front[0]
    many = tuple(replace(first, architecture=f"m{i}", values={"acc": 0.001 * i, "flops": float(i)}) for i in range(600))
    html = members_table(replace(contents, front=replace(contents.front, members=many)), [])
    assert html.count("<tr data-index") == 500
    assert "The first 500 of 600 are listed; front.csv has all." in html
