"""Export of a run in another tool's format."""

from __future__ import annotations

import os
from pathlib import Path

from evonas.errors import RunError, SettingsError, suggest
from evonas.export.mlflow import export_mlflow
from evonas.export.optuna import export_optuna
from evonas.export.tensorboard import export_tensorboard
from evonas.report.contents import gather
from evonas.runs.run import Run

FORMATS = ("optuna", "tensorboard", "mlflow")
DEFAULT_STORE = "sqlite:///mlflow.db"
"""Where MLflow itself keeps runs and searches for them by default: a file in the current folder."""


def export_run(run: Run, to: str, out: str | Path | None = None, *, uri: str | None = None) -> str:
    """Write a run for another tool.

    Args:
        run: The run, open; it may still be searching.
        to: ``optuna``: an SQLite file that optuna-dashboard opens, one trial per evaluated architecture;
            ``tensorboard``: a folder of scalars; ``mlflow``: a run of a tracking server.
        out: The file or folder to make; for the first two.
        uri: Tracking URI, such as ``http://localhost:5000`` or ``sqlite:///mlflow.db``, for MLflow; None: that of the
            environment's ``MLFLOW_TRACKING_URI``, else `DEFAULT_STORE` in the current folder.

    Returns:
        Where it was written.

    Raises:
        SettingsError: Another format, or a destination that this one does not take.
        MissingExtraError: The tool's package is not installed.
        RunError: Nothing was evaluated yet, or something is at `out` already.
    """
    if to not in FORMATS:
        raise SettingsError(f"Expected --to {', '.join(FORMATS)}, got '{to}'.{suggest(to, FORMATS)}")
    if to == "mlflow":
        if out is not None:
            raise SettingsError(f"--to mlflow takes --uri, got --out {out}: for a file type  --uri sqlite:///{out}")
    elif not out:
        raise SettingsError(f"Expected --out for --to {to}, got none")
    contents = gather(run)
    if not contents.texts:
        raise RunError(f"{run.path} has no evaluations to export yet: search on with  evonas resume {run.path}")
    if to == "mlflow":
        return export_mlflow(contents, uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_STORE)
    path = Path(str(out))
    if path.exists() and not (path.is_dir() and not any(path.iterdir()) and to == "tensorboard"):
        raise RunError(f"Expected nothing at {path}, but it exists: choose another --out")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error.strerror}; check that its folder is one, and yours") from error
    (export_optuna if to == "optuna" else export_tensorboard)(contents, path)
    return str(path)
