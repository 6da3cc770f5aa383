"""``evonas report``."""

from __future__ import annotations

from typer.testing import CliRunner

from evonas.cli import app


def test_the_command_writes_the_report_and_says_where(make_run, tmp_path):
    path = make_run()
    result = CliRunner().invoke(app, ["report", str(path)])
    assert result.exception is None
    assert str(path / "report.html") in result.stdout.replace("\n", "")
    assert "folder" in str(CliRunner().invoke(app, ["report", str(path), "--out", str(tmp_path)]).exception)
