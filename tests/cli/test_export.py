"""``evonas export``."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from evonas.cli import app
from evonas.runs.manifest import new_manifest
from evonas.runs.run import Run
from evonas.runs.store import Evaluation
from evonas.spaces import load_space


def test_the_command_says_how_to_look_at_it(tmp_path):
    pytest.importorskip("optuna")
    space = load_space("darts")
    text = space.key(space.sample(1, np.random.default_rng(0), by="choice")[0])
    with Run.create(tmp_path / "run", {"space": "darts", "objectives": ["flops"]}, new_manifest(seed=0)) as run:
        run.store.enroll(0, [text])
        run.store.record([Evaluation(text, "flops", "f", 1e6, None, 0.1)])
    done = CliRunner().invoke(app, ["export", str(tmp_path / "run"), "--out", str(tmp_path / "o.db")])
    assert done.exit_code == 0, done.output
    assert f"optuna-dashboard sqlite:///{tmp_path / 'o.db'}" in done.output
