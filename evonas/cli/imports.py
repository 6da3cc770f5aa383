"""``evonas import``: what other programs found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.options import Application

imports = Application(no_args_is_help=True, help="Read what other programs found.")


@imports.command("lhd")
def import_lhd_weights(
    file: Annotated[Path, typer.Argument(help="A .npz file of architecture weights, of one search or several.")],
    policy: Annotated[str, typer.Option(help="How weights become networks: base, 1m, 3ops or 4out.")] = "base",
    select: Annotated[str, typer.Option(help="Only searches whose name holds this text. [default: all]")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the architectures as a CSV file.")] = None,
) -> None:
    """Discretize architecture weights found in the LHD space (Chao et al., ICML 2023) by one of its four policies."""
    from evonas.errors import SettingsError
    from evonas.files.missing import refuse_missing

    refuse_missing(file, "a NumPy archive of architecture weights")  # before anything heavy is imported
    from evonas.files.csv import to_csv
    from evonas.files.whole import write_whole
    from evonas.networks import import_lhd
    from evonas.networks.lhd_file import read_lhd_weights
    from evonas.objectives import Context
    from evonas.objectives.cost.cost import CostEvaluator
    from evonas.spaces.skeleton_text import skeleton_text

    if out is not None and (out.is_dir() or out.suffix.lower() != ".csv"):
        raise SettingsError(f"Expected --out to name a file that ends in .csv, got '{out}'")
    known = read_lhd_weights(file)
    chosen = [one for one in known if select in one.name]
    if not chosen:
        raise SettingsError(f"Expected --select to hold part of a name such as '{known[0].name}', got '{select}'")
    rows: list[tuple[object, ...]] = [("search", "space", "skeleton", "params", "flops", "architecture")]
    for one in chosen:
        space, architecture, skeleton = import_lhd(one.normal, one.reduce, policy)
        flops, params = CostEvaluator(Context(space, skeleton)).cost(architecture)
        frame = skeleton_text(space, "cifar", skeleton)
        rows.append((one.name, space.name, frame, params, flops, str(architecture)))
        typer.echo(f"{one.name}: {params:,} parameters, {flops:,} FLOPs on {frame}\n  {architecture}")
    if out is not None:
        write_whole(out, to_csv(rows))
        typer.echo(f"Wrote {out}", err=True)
    typer.echo(f"Show one with  evonas describe {rows[1][1]} 'TEXT' --skeleton {rows[1][2]}", err=True)
