"""Export of a run in another tool's format."""

from __future__ import annotations

from pathlib import Path

from evonas.errors import RunError, SettingsError, suggest
from evonas.export.mlflow import export_mlflow
from evonas.export.optuna import export_optuna
from evonas.export.tensorboard import export_tensorboard
from evonas.report.contents import gather
from evonas.runs.run import Run

FORMATS = ("optuna", "tensorboard", "mlflow")


def export_run(run: Run, to: str, out: str | Path | None = None, *, uri: str | None = None) -> str:
    """Write a run for another tool.

    Args:
        run: The run, open; it may still be searching.
        to: ``optuna``: an SQLite file that optuna-dashboard opens, one trial per evaluated architecture;
            ``tensorboard``: a folder of scalars; ``mlflow``: a run of a tracking server.
        out: The file or folder to make; for the first two.
        uri: Tracking URI, such as ``http://localhost:5000`` or ``sqlite:///mlflow.db``; for MLflow.

    Returns:
        Where it was written.

    Raises:
        SettingsError: Another format, or no place for this one.
        MissingExtraError: The tool's package is not installed.
        RunError: Nothing was evaluated yet, or something is at `out` already.
    """
    if to not in FORMATS:
        raise SettingsError(f"Expected --to {', '.join(FORMATS)}, got '{to}'.{suggest(to, FORMATS)}")
    needed, place = ("--uri", uri) if to == "mlflow" else ("--out", out)
    if not place:
        raise SettingsError(f"Expected {needed} for --to {to}, got none")
    contents = gather(run)
    if not contents.texts:
        raise RunError(f"{run.path} has no evaluations to export yet: search on with  evonas resume {run.path}")
    if to == "mlflow":
        return export_mlflow(contents, str(uri))
    path = Path(place)
    if path.exists() and not (path.is_dir() and not any(path.iterdir()) and to == "tensorboard"):
        raise RunError(f"Expected nothing at {path}, but it exists: choose another --out")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error.strerror}; check that its folder is one, and yours") from error
    (export_optuna if to == "optuna" else export_tensorboard)(contents, path)
    return str(path)
