"""Exports never write over something else, and say what is missing."""

from __future__ import annotations

import sys

import pytest

from evonas.errors import MissingExtraError, RunError, SettingsError
from evonas.export.export import export_run
from evonas.export.mlflow import MLflowLog
from evonas.export.tensorboard import TensorBoardLog


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
    with pytest.raises(SettingsError, match=r"--uri sqlite:///.*x"):
        export_run(run, "mlflow", tmp_path / "x")


@pytest.mark.parametrize("package", ["optuna", "tensorboard", "mlflow"])
def test_a_missing_package_is_named_with_its_command(run, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)  # as where it is not installed
    uri = "sqlite:///x.db"
    logs = {"tensorboard": TensorBoardLog, "mlflow": lambda: MLflowLog(uri, print)}
    for make in (
        lambda: export_run(run, package, None if package == "mlflow" else tmp_path / "out", uri=uri),
        *filter(None, [logs.get(package)]),
    ):
        with pytest.raises(MissingExtraError, match=r"pip install 'evonas\[export\]'"):
            make()
    assert not (tmp_path / "out").exists()


def test_a_run_without_evaluations_is_told(growing, tmp_path):
    with pytest.raises(RunError, match="no eval"):
        export_run(growing, "optuna", tmp_path / "x.db")
