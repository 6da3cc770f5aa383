"""``evonas export``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="The run directory.")],
    to: Annotated[str, typer.Option(help="optuna, tensorboard or mlflow.")] = "optuna",
    out: Annotated[Path | None, typer.Option(help="SQLite file for optuna, folder for tensorboard.")] = None,
    uri: Annotated[
        str | None, typer.Option(help="Tracking URI for mlflow. [default: MLFLOW_TRACKING_URI, or sqlite:///mlflow.db]")
    ] = None,
) -> None:
    """Write a run for Optuna's dashboard, TensorBoard or MLflow."""
    from evonas.export.export import export_run
    from evonas.runs.run import Run

    with Run.open(run) as opened:
        written = export_run(opened, to, out, uri=uri)
    typer.echo(f"Wrote {written}")
    file = shlex.quote(str(out))
    shown = {
        "optuna": f"  optuna-dashboard {shlex.quote(f'sqlite:///{out}')}",
        "tensorboard": f"  tensorboard --logdir {file}",
        "mlflow": f"  mlflow ui --backend-store-uri {shlex.quote(written.split(', experiment ')[0])}",
    }
    if to in shown:
        typer.echo(f"Show it with\n{shown[to]}")
