"""MLflow's tracking: a whole run, or generation by generation while a search runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evonas.errors import EvonasError, RunError, require
from evonas.export.scalars import NewScalars, all_scalars
from evonas.report.contents import Contents, gather
from evonas.runs.run import Run

BATCH = 500
"""Metrics that MLflow takes at once; its own bound is 1000."""


def export_mlflow(contents: Contents, uri: str) -> str:
    """Log a run to a tracking server; return where it stands there."""
    mlflow = require("mlflow", "export")
    client, experiment = connect(mlflow, uri)
    number, now = start_run(mlflow, client, experiment, contents.path, contents.settings), int(1000 * time.time())
    metrics = [mlflow.entities.Metric(name, value, now, step) for name, value, step in all_scalars(contents)]
    for start in range(0, len(metrics), BATCH):
        client.log_batch(number, metrics=metrics[start : start + BATCH])
    log_files(client, number, contents.path)
    client.set_terminated(number)
    return f"{uri}, experiment evonas, run {number}"


class MLflowLog:
    """Logs settings, metrics after every generation, and at the end the front, to an MLflow server.

    A search that is resumed is a run of its own there. A server that fails during the search is reported once.

    Args:
        uri: Tracking URI, such as ``http://localhost:5000`` or ``sqlite:///mlflow.db``.
        say: Shows a line of text.

    Raises:
        MissingExtraError: The package is not installed.
        RunError: The server does not answer.
    """

    def __init__(self, uri: str, say: Callable[[str], None]) -> None:
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        self._uri, self._say = uri, say
        self._mlflow = require("mlflow", "export")
        self._number: str | None = None
        self._failed = False
        self._scalars = NewScalars()
        self._client, self._experiment = connect(self._mlflow, uri)

    def __call__(self, run: Run) -> None:
        """Log what the last generation added."""
        if not self._failed:
            self._try(lambda: self._log(run))

    def close(self, run: Run | None) -> None:
        """Log the files of a search that ended, or that it was stopped."""
        if self._number is not None and not self._failed:
            self._try(lambda: self._end(run))

    def _log(self, run: Run) -> None:
        if self._number is None:
            self._number = start_run(self._mlflow, self._client, self._experiment, run.path, run.settings)
        now, entities = int(1000 * time.time()), self._mlflow.entities
        metrics = [entities.Metric(*one[:2], now, one[2]) for one in self._scalars.take(gather(run, ended=False))]
        for start in range(0, len(metrics), BATCH):
            self._client.log_batch(self._number, metrics=metrics[start : start + BATCH])

    def _end(self, run: Run | None) -> None:
        if run is not None:
            log_files(self._client, str(self._number), run.path)
        self._client.set_terminated(self._number, "FINISHED" if run is not None else "KILLED")

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except EvonasError:
            raise
        except Exception as error:  # a search is worth more than its log
            self._failed = True
            self._say(f"MLflow at {self._uri} gets nothing more ({first_line(error)}); evonas export can do it later")


def connect(mlflow: Any, uri: str) -> tuple[Any, str]:
    """Return a client and the number of the experiment ``evonas``.

    Raises:
        RunError: The server does not answer.
    """
    try:
        client = mlflow.MlflowClient(tracking_uri=uri)
        known = client.get_experiment_by_name("evonas")
        return client, client.create_experiment("evonas") if known is None else known.experiment_id
    except Exception as error:  # of many packages, by the kind of URI
        raise RunError(
            f"Expected an MLflow server or file at {uri}, got: {first_line(error)}: start one, or check the URI"
        ) from error


def start_run(mlflow: Any, client: Any, experiment: str, path: Path, settings: Any) -> str:
    """Return the number of a new run with a search's settings."""
    made = client.create_run(experiment, run_name=path.resolve().name)
    parameters = [mlflow.entities.Param(name, str(value)[:500]) for name, value in settings.items()]
    client.log_batch(made.info.run_id, params=parameters)
    return str(made.info.run_id)


def log_files(client: Any, number: str, path: Path) -> None:
    """Log what a run directory holds for people."""
    for file in ("front.csv", "front.json", "report.html"):
        if (path / file).is_file():
            client.log_artifact(number, str(path / file))


def first_line(error: BaseException) -> str:
    """Return an error's words in one short line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
