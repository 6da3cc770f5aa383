"""``evonas data``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from evonas.cli.options import with_settings

OPTIONS = ("resolution", "layout", "image_column", "label_column", "group", "fold", "lazy")


def _data(
    path: Annotated[str, typer.Argument(help="digits, an .npz file, a folder of parquet files or images, a hub name.")],
    given: dict[str, Any],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for inventory.json and pictures of the data.", rich_help_panel="Output"),
    ] = None,
) -> None:
    """Look at data before a search: parts, classes, sizes, what is left out, and what to be warned of."""
    from evonas.data.names import check_data

    check_data(path)
    from evonas.data.inventory import inventory_lines
    from evonas.data.look import look_at, write_look
    from evonas.data.read_options import ReadOptions

    resolution = given.pop("resolution", None)
    look = look_at(path, ReadOptions(**given), resolution)
    for line in inventory_lines(look.inventory, whole=True):
        typer.echo(line)
    for one in look.inventory.skipped:
        typer.echo(f"  unreadable: {one.name} ({one.reason})")
    if out is not None:
        typer.echo(f"Wrote {len(write_look(look, out))} files to {out}")


data = with_settings(_data, OPTIONS)
data.__name__ = "data"
