"""``evonas latency``."""

from __future__ import annotations

from typer.testing import CliRunner

from evonas.cli.latency import latency
from evonas.errors import SettingsError


def test_the_command_line_builds_and_checks_a_table(tmp_path):
    out, figures = tmp_path / "table.json", tmp_path / "check.json"
    small = ["--space", "nasbench_macro", "--resolution", "8", "--classes", "3", "--seconds", "0.1", "--quiet"]
    runner = CliRunner()
    done = runner.invoke(latency, ["build", *small, "--networks", "20", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "Measured" in done.output
    done = runner.invoke(
        latency, ["check", str(out), "--networks", "5", "--seconds", "0.1", "-q", "--out", str(figures)]
    )
    assert done.exit_code == 0, done.output
    assert "two measurements agree" in done.output
    assert figures.exists()
    again = runner.invoke(latency, ["build", *small, "--out", str(out)])
    assert isinstance(again.exception, SettingsError)
