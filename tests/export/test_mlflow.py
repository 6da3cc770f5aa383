"""A run as an MLflow server has it, whole and while it grows."""

from __future__ import annotations

import contextlib

import pytest

from evonas.errors import RunError
from evonas.export.export import export_run
from evonas.export.mlflow import MLflowLog


@pytest.fixture
def own_folder(tmp_path):
    """The current folder, in which MLflow keeps files of a run."""
    with contextlib.chdir(tmp_path):
        yield tmp_path


@pytest.mark.filterwarnings("ignore")  # of mlflow's own imports
def test_mlflow_holds_settings_metrics_and_the_front(run, tmp_path, own_folder):
    mlflow = pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path / 'ml.db'}"
    place = export_run(run, "mlflow", uri=uri)
    client = mlflow.MlflowClient(tracking_uri=uri)
    (found,) = client.search_runs([client.get_experiment_by_name("evonas").experiment_id])
    assert found.info.run_id in place
    assert found.data.params["space"] == "darts"
    assert found.data.metrics["evaluations/acc"] == pytest.approx(0.75)


@pytest.mark.filterwarnings("ignore")  # of mlflow's own imports
@pytest.mark.parametrize("named", [None, "mine.db"])
def test_there_is_a_store_where_none_is_given(run, own_folder, monkeypatch, named):
    pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if named:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{named}")
    place = export_run(run, "mlflow")
    file = named or "mlflow.db"
    assert place.startswith(f"sqlite:///{file}, ")
    assert (own_folder / file).exists()


@pytest.mark.filterwarnings("ignore")  # of mlflow's own imports
def test_mlflow_gets_metrics_by_generation_and_files_at_the_end(growing, tmp_path, add_generation, own_folder):
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    uri = f"sqlite:///{tmp_path / 'ml.db'}"
    said: list[str] = []
    log = MLflowLog(uri, said.append)
    for generation in range(2):
        add_generation(growing, generation)
        log(growing)
    growing.write("front.csv", "architecture")
    log.close(growing)
    client = mlflow.MlflowClient(tracking_uri=uri)
    (found,) = client.search_runs([client.get_experiment_by_name("evonas").experiment_id])
    history = client.get_metric_history(found.info.run_id, "evaluations/acc")
    assert sorted((m.step, m.value) for m in history) == [(1, 0.5), (2, 0.6), (3, 0.7), (4, 0.9)]
    assert found.info.status == "FINISHED"
    assert said == []


@pytest.mark.filterwarnings("ignore")
def test_a_server_that_does_not_answer_is_told_in_one_line_before_the_search():
    pytest.importorskip("mlflow")
    with pytest.raises(RunError, match="Expected an MLflow server or file at nowhere://x, got") as caught:
        MLflowLog("nowhere://x", print)
    assert "\n" not in str(caught.value)
