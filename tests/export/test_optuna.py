"""A run as Optuna reads it: every trial, in the right direction, in one sound file."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from evonas.export.export import export_run
from evonas.spaces import load_space


def test_optuna_reads_every_trial(run, tmp_path):
    optuna = pytest.importorskip("optuna")
    assert export_run(run, "optuna", tmp_path / "run.db") == str(tmp_path / "run.db")
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'run.db'}")
    try:
        study = optuna.load_study(study_name="run", storage=storage)
        assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
        trials = study.trials
        best = {trial.number for trial in study.best_trials}
    finally:
        storage.remove_session()
        storage.engine.dispose()
    assert [trial.state.name for trial in trials] == ["COMPLETE", "FAIL", *["COMPLETE"] * 4]
    assert trials[2].values == pytest.approx([0.6, 3e6])
    assert trials[0].user_attrs["acc_report"] == 0.45
    assert trials[1].user_attrs["cause"] == "it is too large"
    assert trials[3].user_attrs["parents"] == [trials[0].user_attrs["architecture"]]
    space = load_space("darts")
    for trial in trials:  # the parameters are the architecture
        assert space.key([trial.params[name] for name in space.choices]) == trial.user_attrs["architecture"]
    assert best == {0, 2, 3, 4}  # the last breaks the bound


def test_the_file_is_one_sound_database(run, tmp_path):
    pytest.importorskip("optuna")
    export_run(run, "optuna", tmp_path / "run.db")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "run.db"]
    with closing(sqlite3.connect(tmp_path / "run.db")) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert base.execute("SELECT count(*) FROM trials").fetchone() == (6,)
