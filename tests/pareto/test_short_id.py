from __future__ import annotations

import pytest

from evonas.errors import SettingsError
from evonas.pareto.front import Front, Member
from evonas.pareto.objective import Objective
from evonas.pareto.short_id import is_short_id, short_id

FRONT = Front(
    (Objective("acc", "", "max"), Objective("flops", "", "min")),
    tuple(Member(f"a{i}", {"acc": 0.1 * i, "flops": 10.0 * i}) for i in range(1, 4)),
)


def test_short_ids_are_stable():
    assert short_id("a") == "ca97811"
    assert short_id("b") != short_id("a")


def test_its_beginning_and_more_of_the_hash_stand_for_an_architecture_too():
    for given in ("ca97", "ca97811", "ca978112ca1b"):
        assert is_short_id(given, "a")
    for given in ("ca9", "ca97812", "CA97", "", "knee"):
        assert not is_short_id(given, "a")


def test_a_member_is_selected_by_its_id_and_by_the_names_of_its_card():
    for member in FRONT:
        assert FRONT.select(short_id(member.architecture)) is member
        assert FRONT.select(member.architecture) is member
    assert FRONT.select("best") is FRONT[2]
    assert FRONT.select("cheapest") is FRONT[0]
    with pytest.raises(SettingsError, match="a short id or the text"):
        FRONT.select("0123456")


def test_an_id_that_several_members_begin_with_is_refused_with_theirs(monkeypatch):
    # Ids that are as short as names.
    monkeypatch.setattr("evonas.pareto.front.is_short_id", lambda given, text: text in ("a1", "a2"))
    with pytest.raises(SettingsError, match=f"{short_id('a1')}, {short_id('a2')} begin: give more"):
        FRONT.select("abcd")


def test_records_are_a_short_table_and_a_pandas_one():
    html = FRONT._repr_html_()
    assert f"<code>{short_id('a2')}</code>" in html
    assert ">a2<" not in html
    assert "breaks" not in html  # a column without content
    pytest.importorskip("pandas")
    table = FRONT.to_pandas()
    assert table.loc[short_id("a2"), "flops"] == 20.0
    assert list(table["architecture"]) == ["a1", "a2", "a3"]
    assert list(FRONT.records().to_pandas().index) == list(table.index)


def test_members_of_equal_value_are_one_row_in_a_notebook():
    first = FRONT[0]
    copies = tuple(Member(f"copy {i}", first.values) for i in range(50))
    front = Front(FRONT.objectives, (*FRONT.members, *copies))
    html = front._repr_html_()
    assert html.count("<tr>") == 1 + 3
    assert html.count("and 50 more of equal value") == 1
    pytest.importorskip("pandas")
    assert len(front.to_pandas()) == 53


def test_cheapest_needs_a_second_objective():
    front = Front(FRONT.objectives[:1], FRONT.members)
    with pytest.raises(SettingsError, match="one objective: cheapest needs a second"):
        front.select("cheapest")
