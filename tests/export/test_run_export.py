"""Runs as other tools read them: whole, in the right direction, and never over something else."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from evonas.cli import app
from evonas.errors import MissingExtraError, RunError, SettingsError
from evonas.export.run_export import export_run
from evonas.pareto.assemble import make_front
from evonas.pareto.objective import Objective, parse_constraint
from evonas.runs.manifest import new_manifest
from evonas.runs.run import Run
from evonas.runs.store import Evaluation
from evonas.spaces import load_space

ACC, FLOPS = Objective("acc", "", "max"), Objective("flops", "multiply-adds", "min")
BOUND = "flops<=5000000"


def fabricate(path: Path, n: int = 6) -> list[str]:
    """Make a run of n evaluations, the second of which failed; return its texts."""
    space = load_space("darts")
    genomes = space.sample(n, np.random.default_rng(0), by="choice")
    texts = [space.key(genome) for genome in genomes]
    values = np.array([[0.5 + 0.05 * i, 1e6 * (i + 1)] for i in range(n)])
    settings = {"space": "darts", "objectives": ["acc", "flops"], "constraint": [BOUND]}
    with Run.create(path, settings, new_manifest(seed=0)) as run:
        run.store.enroll(0, texts[:3])
        run.store.enroll(1, texts[3:], [(texts[0],)] * (n - 3))
        for i, text in enumerate(texts):
            value, cause = (None, "it is too large") if i == 1 else (float(values[i, 0]), None)
            run.store.record([Evaluation(text, "acc", "a", value, cause, 0.1)])
            run.store.record([Evaluation(text, "flops", "f", float(values[i, 1]), None, 0.1)])
        run.store.note(texts[0], "acc_report", 0.45, {})
        values[1, 0] = np.nan
        bound = parse_constraint(BOUND)
        violations = np.array([[bound.violation(v)] for v in values[:, 1]])
        run.write("front.json", make_front(texts, values, [ACC, FLOPS], violations).to_json())
    return texts


@pytest.fixture
def run(tmp_path):
    fabricate(tmp_path / "run")
    with Run.open(tmp_path / "run") as opened:
        yield opened


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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports
def test_tensorboard_reads_every_scalar(run, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    baseline = {name: {"evaluations": [6], "hypervolume": [v]} for name, v in (("search", 0.5), ("random", 0.25))}
    (run.path / "baseline.json").write_text(json.dumps({**baseline, "evaluations": 6, "reference_point": [0.5, 5e6]}))
    export_run(run, "tensorboard", tmp_path / "tb")
    read = EventAccumulator(str(tmp_path / "tb")).Reload()
    assert set(read.Tags()["scalars"]) == {
        "evaluations/acc", "evaluations/flops", "hypervolume/search", "hypervolume/random_sampling",
    }  # fmt: skip
    assert [(e.step, e.value) for e in read.Scalars("evaluations/acc")] == [
        (1, pytest.approx(0.5)), *((i + 1, pytest.approx(0.5 + 0.05 * i)) for i in range(2, 6)),
    ]  # fmt: skip
    assert [e.value for e in read.Scalars("hypervolume/random_sampling")] == [0.25]


@pytest.mark.filterwarnings("ignore")  # of mlflow's own imports
def test_mlflow_holds_settings_metrics_and_the_front(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where MLflow keeps files of a run
    mlflow = pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path / 'ml.db'}"
    place = export_run(run, "mlflow", uri=uri)
    client = mlflow.MlflowClient(tracking_uri=uri)
    (found,) = client.search_runs([client.get_experiment_by_name("evonas").experiment_id])
    assert found.info.run_id in place
    assert found.data.params["space"] == "darts"
    assert found.data.metrics["evaluations/acc"] == pytest.approx(0.75)


def test_nothing_is_written_over_and_places_are_asked_for(run, tmp_path):
    (tmp_path / "mine.db").write_text("mine")
    with pytest.raises(RunError, match="choose another --out"):
        export_run(run, "optuna", tmp_path / "mine.db")
    with pytest.raises(RunError, match="choose another --out"):
        export_run(run, "tensorboard", run.path)
    with pytest.raises(RunError, match=r"Cannot write .*Not a directory"):
        export_run(run, "optuna", tmp_path / "mine.db" / "x" / "y.db")
    assert (tmp_path / "mine.db").read_text() == "mine"
    with pytest.raises(SettingsError, match="Did you mean 'optuna'"):
        export_run(run, "optunna", tmp_path / "x")
    with pytest.raises(SettingsError, match="--out"):
        export_run(run, "optuna")
    with pytest.raises(SettingsError, match="--uri"):
        export_run(run, "mlflow", tmp_path / "x")


def test_a_missing_package_is_named_with_its_command(run, tmp_path, monkeypatch):
    import importlib

    def absent(name, *rest):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    for to in ("optuna", "tensorboard"):
        with pytest.raises(MissingExtraError, match=r"pip install 'evonas\[export\]'"):
            export_run(run, to, tmp_path / to)
        assert not (tmp_path / to).exists()


def test_a_run_without_evaluations_is_told(tmp_path):
    settings = {"space": "darts", "objectives": ["acc", "flops"]}
    with Run.create(tmp_path / "new", settings, new_manifest(seed=0)) as run, pytest.raises(RunError, match="no eval"):
        export_run(run, "optuna", tmp_path / "x.db")


def test_the_command_says_how_to_look_at_it(tmp_path):
    pytest.importorskip("optuna")
    fabricate(tmp_path / "run")
    done = CliRunner().invoke(app, ["export", str(tmp_path / "run"), "--out", str(tmp_path / "o.db")])
    assert done.exit_code == 0, done.output
    assert f"optuna-dashboard sqlite:///{tmp_path / 'o.db'}" in done.output
