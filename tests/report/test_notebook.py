from __future__ import annotations

import pytest

import evonas  # says how runs are shown
from evonas.errors import SettingsError
from evonas.pareto.short_id import short_id
from evonas.runs.run import Run


def test_a_run_is_a_picture_three_cards_a_line_of_trust_and_where_the_report_is(make_run):
    pytest.importorskip("matplotlib")
    path = make_run()
    (path / "report.html").write_text("")
    with evonas.Run.open(path) as run:
        html, front = run._repr_html_(), evonas.read_front(run)
    assert html.count("<img ") == 1
    assert "src='data:image/png;base64," in html
    for name in ("knee", "best", "cheapest"):
        assert f"<th>{name}</th>" in html
    assert f"<td>{short_id(front.select('knee').architecture)}</td>" in html
    assert front[0].architecture not in html
    assert "Trust: " in html
    assert f"<code>{path / 'report.html'}</code>" in html
    assert len(html) < 100_000


def test_a_run_under_way_shows_what_there_is_and_an_empty_one_nothing(make_run):
    with Run.open(make_run(ended=False)) as run:
        assert "has not ended" in run._repr_html_()
        assert "<th>knee</th>" in run._repr_html_()


def test_the_plot_is_a_picture_that_can_be_saved_and_marks_what_is_asked_for(make_run, tmp_path):
    pytest.importorskip("matplotlib")
    with Run.open(make_run()) as run:
        picture = run.plot()
        other = run.plot("index:0")
        with pytest.raises(SettingsError):
            run.plot("index:9999")
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert picture.save(tmp_path / "front.png").read_bytes() == picture._repr_png_()
    assert other.content != picture.content
