"""``evonas list``."""

from __future__ import annotations

from typing import Annotated

import typer


def list_names(
    kind: Annotated[
        str,
        typer.Argument(
            help="spaces, objectives, proxies, rules, predictors, algorithms, recipes, configs, tables or weights."
        ),
    ],
) -> None:
    """Show the names of a kind, a line each: what it is, and which one is the default."""
    from evonas.pipeline.catalog import DEFAULTS, list_entries

    entries = list_entries(kind)
    if not entries:
        typer.echo(f"No {kind} ship with this release.")
    width = max((len(entry.name) for entry in entries), default=0)
    for entry in entries:
        default = " [default]" if DEFAULTS.get(kind) == entry.name else ""
        typer.echo(f"{entry.name.ljust(width)}  {' '.join(entry.text.split())}{default}")
