"""``evonas report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="The run directory.")],
    out: Annotated[Path | None, typer.Option(help="The HTML file. [default: report.html in the run]")] = None,
) -> None:
    """Write a run's report: one HTML file to read, keep and send."""
    from evonas.errors import SettingsError
    from evonas.report import write_report
    from evonas.runs.run import Run

    if out is not None and out.is_dir():
        raise SettingsError(f"Expected a file to write, got the folder {out}: name a file in it")
    with Run.open(run) as opened:
        path = write_report(opened, out)
    typer.echo(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB): open it in a browser.")
