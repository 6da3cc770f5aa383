"""``evonas latency build`` and ``evonas latency check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas.cli.options import Application

if TYPE_CHECKING:
    from evonas.spaces import Skeleton

latency = Application(
    name="latency",
    help="Measure a latency table on this device; report its error on whole networks.",
    no_args_is_help=True,
)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
Seconds = Annotated[float, typer.Option(min=0.1, help="Begin no further round of calls after that many seconds.")]


@latency.command()
def build(
    out: Annotated[Path, typer.Option(help="The table's file, .json.")],
    space: Annotated[str, typer.Option(help="A space's name or TOML file.")] = "darts",
    skeleton: Annotated[str, typer.Option(help="A skeleton of the space.")] = "small",
    data: Annotated[
        str | None, typer.Option(help="Data that resolution, channels and classes are those of, such as digits.")
    ] = None,
    resolution: Annotated[int | None, typer.Option(min=1, help="Side of the images.")] = None,
    in_channels: Annotated[int | None, typer.Option(min=1, help="Channels of the images.")] = None,
    classes: Annotated[int | None, typer.Option(min=1, help="Classes of the images.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of onnxruntime.")] = 1,
    batch: Annotated[int, typer.Option(min=1, help="Images per call.")] = 1,
    provider: Annotated[str, typer.Option(help="Execution provider of onnxruntime.")] = "CPUExecutionProvider",
    networks: Annotated[int, typer.Option(min=20, help="Whole networks that sums are fitted to.")] = 40,
    seconds: Seconds = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the architectures that the fit is made on.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Measure every distinct block of a space on this device; run nothing else meanwhile."""
    from evonas.cli.progress import make_progress
    from evonas.errors import SettingsError
    from evonas.files.whole import write_whole
    from evonas.spaces import load_space

    if out.exists():
        raise SettingsError(f"{out} exists already: choose another --out")
    read = load_space(space)
    read.skeleton(skeleton)
    from evonas.objectives.latency.latency import measure_latency_table
    from evonas.runtime import describe

    given = {"resolution": resolution, "in_channels": in_channels, "classes": classes}
    frame = _frame(read.skeleton(skeleton), data, {name: value for name, value in given.items() if value is not None})
    progress = make_progress(quiet)
    table = measure_latency_table(
        read, frame, seed=seed, threads=threads, batch=batch, provider=provider, networks=networks, seconds=seconds,
        progress=progress,
    )  # fmt: skip
    write_whole(out, table.to_json())
    typer.echo(f"Measured {len(table.blocks)} blocks on {describe(table.device)}")
    typer.echo(
        f"Median error {table.error:.1%} on {table.calibration} whole networks, each left out of the fit in turn; "
        f"a call alone takes {1e3 * table.floor_ms:.1f} us, calls vary by {1e3 * table.noise_ms:.1f} us"
    )
    typer.echo(f"Wrote {out}; judge it with  evonas latency check {out}")


@latency.command()
def check(
    table: Annotated[Path, typer.Argument(help="A table that evonas latency build wrote.")],
    space: Annotated[str | None, typer.Option(help="The space's TOML file, where it is not a shipped one.")] = None,
    networks: Annotated[int, typer.Option(min=2, help="Whole networks, others than those of the fit.")] = 50,
    seconds: Seconds = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the networks.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write figures and networks into this file, .json.")] = None,
    quiet: Quiet = False,
) -> None:
    """Measure whole networks twice, and compare the table with them."""
    import json
    from dataclasses import asdict

    from evonas.cli.progress import make_progress
    from evonas.errors import SettingsError
    from evonas.files.whole import write_whole
    from evonas.objectives.latency.latency import check_latency_table, read_latency_table
    from evonas.runtime import describe
    from evonas.spaces import load_space

    if out is not None and out.exists():
        raise SettingsError(f"{out} exists already: choose another --out")
    read = read_latency_table(table)
    found = check_latency_table(
        read, load_space(space or read.space), networks=networks, seed=seed, seconds=seconds,
        progress=make_progress(quiet),
    )  # fmt: skip
    if found.differs:
        typer.echo(f"Note: the table was measured on another device: {'; '.join(found.differs)}", err=True)
    typer.echo(f"{found.networks} whole networks on {describe(found.device)}:")
    typer.echo(f"  rank correlation {found.spearman:.3f} (two measurements agree to {found.spearman_repeated:.3f})")
    typer.echo(
        f"  median error {found.median_error:.1%} (between two measurements {found.median_error_repeated:.1%}), "
        f"{found.within_10_percent:.0%} within 10 %"
    )
    if out is not None:
        write_whole(out, json.dumps(asdict(found), indent=1) + "\n")
        typer.echo(f"Wrote {out}")


def _frame(skeleton: Skeleton, data: str | None, given: dict[str, int]) -> Skeleton:
    """Return the skeleton with what data and user fix."""
    if data is None:
        return skeleton.replace(**given)
    from evonas.data import load_data
    from evonas.tasks import make_task

    read = load_data(data, resolution=given.get("resolution"))
    own = {"resolution": read.resolution, "in_channels": read.in_channels, "classes": make_task(read).head.outputs}
    return skeleton.replace(**{**own, **given})
