"""``evonas verify``."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from evonas import read_front
from evonas.cli import app
from evonas.runs.run import Run


def test_the_exit_code_says_whether_something_moved(run, change):
    runner = CliRunner()
    held = runner.invoke(app, ["verify", str(run), "--quiet"])
    assert held.exit_code == 0, held.output
    assert "numbers hold within their noise" in held.output
    change(run, "flops", 12.0)
    moved = runner.invoke(app, ["verify", str(run), "--select", "index:0", "--quiet"])
    assert moved.exit_code == 1
    assert "Moved by more than its noise: flops of 0" in moved.output


def test_what_cannot_be_measured_is_named_with_the_cause(run):
    with Run.open(run, write=True) as opened:
        text = read_front(opened)[0].architecture
        opened.store.note(text, "mystery", 1.0, {})
    (run / "supernet.safetensors").unlink()
    done = CliRunner().invoke(app, ["verify", str(run), "--select", "index:0", "--quiet"])
    assert done.exit_code == 0, done.output
    assert "mystery was not measured: noted by another tool" in done.output
    assert "acc_report was not measured: the run has no supernet" in done.output
    assert json.loads((run / "verify.json").read_text())["skipped"]["acc"] == "the run has no supernet"


def test_a_ranking_of_too_few_members_and_a_recipe_for_none_are_refused(run):
    few = CliRunner().invoke(app, ["verify", str(run), "--ranking", "2", "--quiet"])
    assert "Expected --ranking 3 to" in str(few.exception)
    alone = CliRunner().invoke(app, ["verify", str(run), "--recipe", "quick"])
    assert "--recipe goes with --ranking N" in str(alone.exception)
    chosen = CliRunner().invoke(app, ["verify", str(run), "--ranking", "3", "--select", "knee"])
    assert "--ranking chooses its own members: leave out --select" in str(chosen.exception)
