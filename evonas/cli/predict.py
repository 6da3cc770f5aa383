"""``evonas predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.options import MEMBER, Quiet


def predict(
    model: Annotated[Path, typer.Argument(help="A deployed or trained folder, an ONNX file, or a run directory.")],
    photos: Annotated[list[Path], typer.Argument(help="Image files, and folders of them.")],
    select: Annotated[
        str,
        typer.Option(help=f"Member of a run: {MEMBER}."),
    ] = "knee",
    top: Annotated[int, typer.Option(min=1, help="Classes that are shown of each photo.")] = 3,
    csv: Annotated[Path | None, typer.Option(help="Write all answers into this file, too.")] = None,
    quiet: Quiet = False,
) -> None:
    """Print the likeliest classes of photos, or values of continuous targets; exit code 3 if one cannot be read."""
    from evonas.files.missing import refuse_missing

    refuse_missing(model, "a model's folder, an ONNX file or a run")  # before anything heavy is imported
    from evonas.cli.progress import make_progress
    from evonas.deployment.prediction import predict
    from evonas.files.whole import write_whole

    found = predict(model, photos, select=select, top=top, progress=make_progress(quiet))
    for line in found.lines():
        typer.echo(line)
    for one in found.skipped:
        typer.echo(f"Skipped {one.photo}: {one.error}", err=True)
    if csv is not None:
        write_whole(csv, found.to_csv())
        typer.echo(f"Wrote {csv}", err=True)
    if found.skipped:
        raise typer.Exit(3)
