from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from evonas.cli import app
from evonas.pareto.front import Front


def call(*arguments: object):
    return CliRunner().invoke(app, ["front", *map(str, arguments)])


def ok(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exception is None, result.output
    return result.stdout


def test_the_table_has_no_architectures_but_numbers_and_the_next_command(make_run):
    run = make_run()
    output = ok(run)
    assert "members on the front" in output
    assert "Genotype" not in output
    assert "acc ↑" in output
    assert "flops ↓ (multiply-adds)" in output
    assert "acc_report" in output
    assert "Hypervolume 0." in output
    assert "reference point (acc 0." in output
    assert "acc: a score without unit, what shared weights give" in output
    assert f"evonas deploy {run} --select index:" in output


def test_bounds_keep_the_numbers_that_select_takes(make_run):
    run = make_run()
    front = Front.from_json((run / "front.json").read_text())
    bound = front[3].values["flops"]
    output = ok(run, "--where", f"flops>={bound}", "--select", "best:flops")
    assert f"{len(front) - 3} of {len(front)} members" in output
    assert "--select index:3" in output
    assert "keeps to all" in ok(run, "--where", "flops<=1")


@pytest.mark.parametrize("format", ["csv", "json", "md"])
def test_formats_hold_every_member(make_run, tmp_path, format):
    run = make_run()
    front = Front.from_json((run / "front.json").read_text())
    text = ok(run, "--format", format)
    if format == "csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["architecture"] for row in rows] == [m.architecture for m in front]
        assert [float(row["acc"]) for row in rows] == [m.values["acc"] for m in front]
    elif format == "json":
        assert [m["architecture"] for m in json.loads(text)["members"]] == [m.architecture for m in front]
    else:
        assert len(text.splitlines()) == len(front) + 2
        assert len({line.count("|") for line in text.splitlines()}) == 1
    ok(run, "--format", format, "--out", tmp_path / "file")
    assert (tmp_path / "file").read_text().strip() == text.strip()


def test_parquet_equals_csv(make_run, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    run = make_run()
    ok(run, "--format", "parquet", "--out", tmp_path / "front.parquet")
    front = Front.from_json((run / "front.json").read_text())
    table = parquet.read_table(tmp_path / "front.parquet")
    assert table.column_names == front.columns
    assert table.column("acc").to_pylist() == [m.values["acc"] for m in front]


def test_the_plot_and_the_table_are_written(make_run, tmp_path):
    pytest.importorskip("matplotlib")
    ok(make_run(), "--plot", tmp_path / "a.png", "--out", tmp_path / "a.txt")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "members on the front" in (tmp_path / "a.txt").read_text()


def test_a_search_under_way_says_so(make_run):
    run = make_run(ended=False)
    output = ok(run)
    assert "has not ended" in output
    assert f"evonas resume {run}" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "cvs"], "Unknown format 'cvs'.*'csv'"),
        (["--out", "."], "Expected a file to write, got the folder"),
        (["--plot", "a.jpg"], r"\.png"),
        (["--where", "flops<1"], "NAME<=NUMBER"),
        (["--where", "size<=1"], "Members have no 'size'"),
        (["--select", "index:999"], "index:999"),
        (["--format", "parquet"], "--out"),
    ],
)
def test_bad_input_is_told(make_run, arguments, message):
    result = call(make_run(n=30), *arguments)
    assert result.exception is not None
    with pytest.raises(Exception, match=message):
        raise result.exception


def test_what_is_no_run_is_refused(tmp_path):
    assert "Expected a run directory" in str(call(tmp_path / "none").exception)


def test_where_nothing_was_learnt_no_knee_is_marked_but_may_be_asked_for(make_run):
    from evonas.runs.run import Run

    path = make_run()
    with Run.open(path, write=True) as run:
        run.update_manifest(acc_best={"best": 0.1, "majority": 0.1, "images": 100, "of": "a member"})
    plain = call(path)
    assert "← selected" not in plain.stdout
    assert "learnt nothing yet" in " ".join(plain.stdout.split())
    asked = call(path, "--select", "knee")
    assert "← selected" in asked.stdout
    assert "Warning: The search has learnt nothing yet" in asked.stderr
    assert "Warning" not in call(path, "--select", "best:acc").stderr
    few = call(path, "--where", "flops>=1", "--where", "acc>=0", "--select", "knee")
    assert "not of the whole front" not in few.stdout
