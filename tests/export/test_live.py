"""What a search tells TensorBoard and MLflow while it runs: every number once, on one scale."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.errors import MissingExtraError, RunError
from evonas.export.live import MLflowLog, NewScalars, TensorBoardLog
from evonas.report.contents import gather
from evonas.runs.manifest import new_manifest
from evonas.runs.run import Run
from evonas.runs.store import Evaluation
from evonas.spaces import load_space

VALUES = [[0.5, 4e6], [0.6, 6e6], [0.7, 5e6], [0.9, 8e6]]


@pytest.fixture
def run(tmp_path):
    settings = {"space": "darts", "objectives": ["acc", "flops"]}
    with Run.create(tmp_path / "run", settings, new_manifest(seed=0)) as opened:
        yield opened


def tell(run: Run, generation: int) -> None:
    """Store a generation of two."""
    space = load_space("darts")
    texts = [space.key(g) for g in space.sample(4, np.random.default_rng(0), by="choice")]
    places = range(2 * generation, 2 * generation + 2)
    run.store.enroll(generation, [texts[i] for i in places])
    for i in places:
        for name, value in zip(("acc", "flops"), VALUES[i]):
            run.store.record([Evaluation(texts[i], name, name, value, None, 0.1)])


def test_every_number_is_told_once_and_volumes_only_grow(run):
    scalars = NewScalars()
    tell(run, 0)
    first = scalars.take(gather(run, ended=False))
    assert [one for one in first if one[0] == "evaluations/acc"] == [
        ("evaluations/acc", 0.5, 1), ("evaluations/acc", 0.6, 2),
    ]  # fmt: skip
    assert scalars.take(gather(run, ended=False)) == []
    tell(run, 1)
    second = scalars.take(gather(run, ended=False))
    assert [one for one in second if one[0] == "evaluations/flops"] == [
        ("evaluations/flops", 5e6, 3), ("evaluations/flops", 8e6, 4),
    ]  # fmt: skip
    volumes = [one for one in (*first, *second) if one[0] == "front/hypervolume"]
    # By hand, on the scale of the first two, both on the edge: then (0.7, 5e6) covers 2 by 0.5 of it.
    assert [(value, step) for _, value, step in volumes] == [(0.0, 2), (pytest.approx(1.0), 4)]
    assert ("front/members", 3.0, 4) in second


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard's own imports
def test_tensorboard_reads_the_scalars_of_a_resumed_search_once(run):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tell(run, 0)
    for _ in range(2):  # stopped after the first generation, resumed
        log = TensorBoardLog()
        log(run)
        log.close(None)
    read = EventAccumulator(str(run.path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in read.Scalars("evaluations/acc")] == [(1, 0.5), (2, pytest.approx(0.6))]


@pytest.mark.filterwarnings("ignore")  # of mlflow's own imports
def test_mlflow_gets_metrics_by_generation_and_files_at_the_end(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where MLflow keeps files of a run
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    uri = f"sqlite:///{tmp_path / 'ml.db'}"
    said: list[str] = []
    log = MLflowLog(uri, said.append)
    for generation in range(2):
        tell(run, generation)
        log(run)
    run.write("front.csv", "architecture")
    log.close(run)
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


def test_a_missing_package_is_named_before_the_search(monkeypatch):
    import importlib

    def absent(name, *rest):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    for make in (TensorBoardLog, lambda: MLflowLog("sqlite:///x.db", print)):
        with pytest.raises(MissingExtraError, match=r"pip install 'evonas\[export\]'"):
            make()
