"""``evonas export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="The run directory.")],
    to: Annotated[str, typer.Option(help="optuna, tensorboard or mlflow.")] = "optuna",
    out: Annotated[Path | None, typer.Option(help="SQLite file for optuna, folder for tensorboard.")] = None,
    uri: Annotated[str | None, typer.Option(help="Tracking URI for mlflow.")] = None,
) -> None:
    """Write a run for Optuna's dashboard, TensorBoard or MLflow."""
    from evonas.export.export import export_run
    from evonas.runs.run import Run

    with Run.open(run) as opened:
        place = export_run(opened, to, out, uri=uri)
    typer.echo(f"Wrote {place}")
    shown = {"optuna": f"  optuna-dashboard sqlite:///{out}", "tensorboard": f"  tensorboard --logdir {out}"}
    if to in shown:
        typer.echo(f"Look at it with\n{shown[to]}")
