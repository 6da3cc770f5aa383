"""``evonas latency build``, ``evonas latency check`` and ``evonas latency kit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.options import Application, OfSize, Quiet, read_size

if TYPE_CHECKING:
    from evonas.files.size import Size
    from evonas.spaces import Skeleton, Space

latency = Application(
    name="latency",
    help="Measure a latency table on this device; report its error on whole networks.",
    no_args_is_help=True,
)

Seconds = Annotated[float, typer.Option(min=0.1, help="Begin no further round of calls after that many seconds.")]
OfSpace = Annotated[str, typer.Option("--space", help="A space's name or TOML file.")]
OfSkeleton = Annotated[str, typer.Option("--skeleton", help="A skeleton of the space.")]
OfData = Annotated[
    str | None,
    typer.Option("--data", help="Data that resolution, channels and classes are those of, such as digits."),
]
Channels = Annotated[int | None, typer.Option(min=1, help="Channels of the images.")]
Classes = Annotated[int | None, typer.Option(min=1, help="Classes of the images.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads of onnxruntime.")]
Batch = Annotated[int, typer.Option(min=1, help="Images per call.")]
Networks = Annotated[int, typer.Option(min=20, help="Whole networks that sums are fitted to.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the architectures that the fit is made on.")]


@latency.command()
def build(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="The table's file, .json.")],
    measurements: Annotated[
        Path | None, typer.Option(help="results.json of a kit: its device's table, of the kit's space and settings.")
    ] = None,
    space: OfSpace = "darts",
    skeleton: OfSkeleton = "small",
    data: OfData = None,
    resolution: OfSize = None,
    in_channels: Channels = None,
    classes: Classes = None,
    resolutions: Annotated[
        str | None,
        typer.Option(
            help="Sides of squares that candidates of a search choose among, such as 64,80,96: for all of them."
        ),
    ] = None,
    threads: Threads = 1,
    batch: Batch = 1,
    provider: Annotated[str, typer.Option(help="Execution provider of onnxruntime.")] = "CPUExecutionProvider",
    networks: Networks = 40,
    seconds: Seconds = 60.0,
    seed: Seed = 0,
    quiet: Quiet = False,
) -> None:
    """Measure every distinct block of a space on this device, or read what a kit measured on another."""
    from evonas.cli.progress import make_progress
    from evonas.errors import SettingsError
    from evonas.files.whole import write_whole
    from evonas.spaces import load_space

    if measurements is not None:
        sources = {name: context.get_parameter_source(name) for name in context.params}
        named = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
        _build_from(measurements, out, named, space, provider)
        return
    if out.exists():
        raise SettingsError(f"{out} exists already: choose another --out")
    read = load_space(space)
    read.skeleton(skeleton)
    from evonas.objectives.latency.latency import measure_latency_table
    from evonas.runtime import describe

    size = read_size(resolution)
    given: dict[str, Any] = {"resolution": size, "in_channels": in_channels, "classes": classes}
    sides = _sides(resolutions, read, size)
    if sides:
        given["resolution"] = max(sides)
    frame = _frame(read.skeleton(skeleton), data, {name: value for name, value in given.items() if value is not None})
    progress = make_progress(quiet)
    table = measure_latency_table(
        read, frame, resolutions=sides, seed=seed, threads=threads, batch=batch, provider=provider, networks=networks,
        seconds=seconds, progress=progress,
    )  # fmt: skip
    write_whole(out, table.to_json())
    typer.echo(f"Measured {len(table.blocks)} blocks on {describe(table.device)}")
    typer.echo(
        f"Median error {table.error:.1%} on {table.calibration} whole networks, each left out of the fit in turn; "
        f"a call alone takes {1e3 * table.floor_ms:.1f} us, calls vary by {1e3 * table.noise_ms:.1f} us"
    )
    typer.echo(f"Wrote {out}; check it with  evonas latency check {out}")


@latency.command()
def kit(
    out: Annotated[Path, typer.Option(help="Folder to make and to copy to the device.")],
    space: OfSpace = "darts",
    skeleton: OfSkeleton = "small",
    data: OfData = None,
    resolution: OfSize = None,
    in_channels: Channels = None,
    classes: Classes = None,
    threads: Threads = 1,
    batch: Batch = 1,
    networks: Networks = 40,
    seconds: Seconds = 60.0,
    seed: Seed = 0,
    max_size: Annotated[float, typer.Option(help="Megabytes that the kit may take.")] = 200.0,
    quiet: Quiet = False,
) -> None:
    """Write models and a script that measure a space on a device without torch: onnxruntime and numpy are enough."""
    from evonas.cli.progress import make_progress
    from evonas.spaces import load_space

    read = load_space(space)
    read.skeleton(skeleton)
    from evonas.deployment.kit import make_kit

    given = {"resolution": read_size(resolution), "in_channels": in_channels, "classes": classes}
    frame = _frame(read.skeleton(skeleton), data, {name: value for name, value in given.items() if value is not None})
    made = make_kit(
        read, frame, out, networks=networks, threads=threads, batch=batch, seconds=seconds, seed=seed,
        max_size=max_size, progress=make_progress(quiet),
    )  # fmt: skip
    typer.echo(f"Wrote {out}: {made.summary()}")
    typer.echo(
        "Next: copy it to the device, run  python3 measure.py  there, copy its results.json back, and run\n"
        "  evonas latency build --measurements results.json --out device.json"
    )


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
    from evonas.files.missing import refuse_missing

    refuse_missing(table, "a latency table")  # before anything heavy is imported
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


def _build_from(measurements: Path, out: Path, given: list[str], space: str, provider: str) -> None:
    """Write the table of a kit's answer."""
    from evonas.errors import SettingsError
    from evonas.files.whole import write_whole
    from evonas.objectives.latency.measurements import read_measurements
    from evonas.runtime import describe
    from evonas.runtime.timing_alone import drift_words
    from evonas.spaces import load_space

    allowed = ("measurements", "out", "space", "provider", "quiet")
    if others := [name for name in given if name not in allowed]:
        options = ", ".join("--" + name.replace("_", "-") for name in others)
        raise SettingsError(f"{options} cannot go with --measurements, whose kit has its own: leave them out")
    if out.exists():
        raise SettingsError(f"{out} exists already: choose another --out")
    found = read_measurements(measurements, load_space(space) if "space" in given else None, provider)
    table = found.table
    write_whole(out, table.to_json())
    typer.echo(f"{len(table.blocks)} blocks of {table.space} were measured on {describe(table.device)}")
    typer.echo(
        f"Median error {table.error:.1%} on {table.calibration} whole networks, each left out of the fit in turn; "
        f"a call alone takes {1e3 * table.floor_ms:.1f} us, calls vary by {1e3 * table.noise_ms:.1f} us"
    )
    for line in (drift_words(found.drift), *found.others):
        typer.echo(line[0].upper() + line[1:])
    typer.echo(f"Wrote {out}; search with  --latency-table {out}")


def _sides(text: str | None, space: Space, resolution: Size | None) -> tuple[int, ...]:
    """Return the resolutions that candidates choose among; none where none are named."""
    from evonas.config import make_settings
    from evonas.errors import SettingsError
    from evonas.files.size import size_text

    if text is None:
        return ()
    sides: tuple[int, ...] = make_settings(resolutions=text).resolutions
    allowed = space.definition.search_resolutions
    if not allowed:
        raise SettingsError(f"Candidates of the space '{space.name}' choose no resolution: leave out --resolutions")
    if others := [str(side) for side in sides if side not in allowed]:
        known = ", ".join(map(str, allowed))
        raise SettingsError(f"The space '{space.name}' has the resolutions {known}, got {', '.join(others)}")
    if resolution is not None and resolution != max(sides):
        raise SettingsError(
            f"Expected --resolution {max(sides)}, the largest of --resolutions, or none, got {size_text(resolution)}"
        )
    return sides


def _frame(skeleton: Skeleton, data: str | None, given: dict[str, Any]) -> Skeleton:
    """Return the skeleton with what data and user fix."""
    if data is None:
        return skeleton.replace(**given)
    from evonas.data import load_data
    from evonas.tasks import make_task

    read = load_data(data, resolution=given.get("resolution"))
    own = {"resolution": read.resolution, "in_channels": read.in_channels, "classes": make_task(read).head.outputs}
    return skeleton.replace(**{**own, **given})
