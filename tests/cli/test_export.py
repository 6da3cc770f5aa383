"""``evonas export``."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from evonas.cli import app


def test_the_command_says_how_to_show_it(make_run, tmp_path):
    pytest.importorskip("optuna")
    done = CliRunner().invoke(app, ["export", str(make_run(n=20)), "--out", str(tmp_path / "o.db")])
    assert done.exit_code == 0, done.output
    assert f"optuna-dashboard sqlite:///{tmp_path / 'o.db'}" in done.output
