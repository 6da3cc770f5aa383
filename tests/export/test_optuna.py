"""A run as Optuna reads it: every trial, in the right direction, in one sound file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime

import pytest

from evonas.export.export import export_run
from evonas.pareto.short_id import short_id
from evonas.spaces import load_space


def test_optuna_reads_every_trial(run, tmp_path):
    optuna = pytest.importorskip("optuna")
    times = run.store.times()
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
        named = zip(space.choices, space.option_names, strict=True)
        genome = [options.index(trial.params[name]) for name, options in named]
        assert space.key(genome) == trial.user_attrs["architecture"]
    assert trials[0].params["normal.2.operation0"] in space.operations
    assert (trials[0].user_attrs["id"], trials[0].user_attrs["front"]) == (
        short_id(trials[0].user_attrs["architecture"]),
        True,
    )
    assert trials[0].user_attrs["params"] == 1234.0  # not an objective, but known
    for trial in trials:  # each result was stored at a moment of its own, a tenth of a second after it was begun
        began, ended = trial.datetime_start.timestamp(), trial.datetime_complete.timestamp()
        assert (began, ended) == pytest.approx(times[trial.user_attrs["architecture"]], abs=1e-3)
        assert ended - began >= 0.0999
    assert best == {0, 2, 3, 4}  # the last breaks the bound


def test_the_file_is_one_sound_database(run, tmp_path):
    pytest.importorskip("optuna")
    export_run(run, "optuna", tmp_path / "run.db")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "run.db"]
    with closing(sqlite3.connect(tmp_path / "run.db")) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert base.execute("SELECT count(*) FROM trials").fetchone() == (6,)


def test_importances_of_choices_are_named(run, tmp_path):
    optuna = pytest.importorskip("optuna")
    export_run(run, "optuna", tmp_path / "run.db")
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'run.db'}")
    try:
        study = optuna.load_study(study_name="run", storage=storage)
        found = optuna.importance.get_param_importances(
            study, target=lambda trial: trial.values[0], evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0)
        )
    finally:
        storage.remove_session()
        storage.engine.dispose()
    assert set(found) <= set(load_space("darts").choices)
    assert sum(found.values()) == pytest.approx(1.0)


def test_a_run_without_moments_has_its_own_time(run, tmp_path):
    optuna = pytest.importorskip("optuna")
    with closing(sqlite3.connect(run.path / "evaluations.sqlite")) as base, base:
        base.execute("DROP TABLE moments")  # as before they were stored
    export_run(run, "optuna", tmp_path / "run.db")
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'run.db'}")
    try:
        trials = optuna.load_study(study_name="run", storage=storage).trials
    finally:
        storage.remove_session()
        storage.engine.dispose()
    created = datetime.strptime(run.manifest["created"], "%Y-%m-%dT%H:%M:%S%z").timestamp()
    assert {trial.datetime_start.timestamp() for trial in trials} == {created}
