"""``evonas describe``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from evonas.proxies.nlc_profile import NlcProfile
    from evonas.spaces import Architecture, Skeleton, Space


def describe(
    space: Annotated[
        str, typer.Argument(help="A space's name or TOML file; or an ONNX file.", metavar="SPACE|MODEL.onnx")
    ],
    architecture: Annotated[str | None, typer.Argument(help="An architecture's text, in quotes; or 'random'.")] = None,
    skeleton: Annotated[
        str, typer.Option(help="The skeleton that it is built in, NAME or NAME:key=value,key=value.")
    ] = "small",
    out: Annotated[Path | None, typer.Option(help="Draw the architecture into this file, .svg or .png.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of 'random', and of initial weights.")] = 0,
    nonlinearity: Annotated[
        bool, typer.Option("--nonlinearity", help="Explain the architecture's nonlinearity coefficient (NLC).")
    ] = False,
    data: Annotated[str, typer.Option(help="Images that the coefficient is measured on.")] = "digits",
    repeats: Annotated[int, typer.Option(min=1, help="Initializations that the coefficient averages over.")] = 5,
    images: Annotated[int, typer.Option(min=2, help="Training images, the first ones.")] = 32,
    neighbors: Annotated[int, typer.Option(min=0, help="Architectures with one choice changed, at most.")] = 40,
    run: Annotated[
        Path | None, typer.Option(help="Keep the explanation in this run, whose report draws it with the details.")
    ] = None,
    resolution: Annotated[
        str | None, typer.Option(help="Images' side, or HEIGHTxWIDTH, where an ONNX file leaves it open.")
    ] = None,
    among: Annotated[
        str | None,
        typer.Option(metavar="SPACE", help="Predict an ONNX model's rank among architectures of this space."),
    ] = None,
) -> None:
    """Show a space's choices and size, an architecture's cost, drawing and nonlinearity, or an ONNX model's cost."""
    import numpy as np

    from evonas.errors import SettingsError
    from evonas.files.whole import write_whole
    from evonas.report.architecture import draw_architecture
    from evonas.report.drawing import stack, to_png, to_svg
    from evonas.spaces import load_space
    from evonas.spaces.skeleton_text import read_skeleton

    if space.lower().endswith(".onnx"):
        if architecture is not None or out is not None or nonlinearity:
            raise SettingsError(
                f"Expected --resolution and --among at most with an ONNX file, got more beside '{space}'"
            )
        _show_model(space, resolution, among)
        return
    if among is not None:
        raise SettingsError("Expected --among with an ONNX file, got a space")
    if resolution is not None:
        raise SettingsError(
            "Expected --resolution with an ONNX file, got a space: write --skeleton small:resolution=64"
        )
    if out is not None and (out.is_dir() or out.suffix.lower() not in (".svg", ".png")):
        raise SettingsError(f"Expected a file ending in .svg or .png for --out, got {out}")
    if run is not None and not nonlinearity:
        raise SettingsError("Expected --nonlinearity with --run, which keeps what it found")
    if nonlinearity and architecture is None:
        raise SettingsError("Expected an architecture's text, or 'random', with --nonlinearity, got a space alone")
    read = load_space(space)
    frame = read_skeleton(read, skeleton)
    if architecture is None:
        _show_space(read)
        text = "random" if out is not None else None
    else:
        text = architecture
    if text is None:
        typer.echo(f"\nAn architecture:  evonas describe {space} random --out architecture.svg")
        return
    if text == "random":
        chosen = read.decode(read.sample(1, np.random.default_rng(seed))[0])
    else:
        chosen = read.parse(text)
    _show_architecture(read, chosen, frame, skeleton)
    drawings = [] if out is None else [draw_architecture(read, chosen, frame)]
    if nonlinearity:
        from evonas.report.nonlinearity import draw_nonlinearity

        profile = _explain({"space": space, "data": data, "seed": seed}, frame, chosen, run, images, repeats, neighbors)
        drawings += [draw_nonlinearity(profile)]
    if out is not None:
        drawing = stack(drawings, drawings[0].title)
        write_whole(out, to_svg(drawing) if out.suffix.lower() == ".svg" else to_png(drawing))
        typer.echo(f"Wrote {out}", err=True)


def _explain(
    problem: dict[str, Any],
    frame: Skeleton,
    architecture: Architecture,
    run: Path | None,
    images: int,
    repeats: int,
    neighbors: int,
) -> NlcProfile:
    """Explain an architecture's nonlinearity, print it, and keep it where a run is named."""
    from dataclasses import replace

    from rich.table import Table

    from evonas.config import make_settings
    from evonas.objectives.nonlinearity import explain_architecture, keep_profile
    from evonas.pipeline.problem import SearchProblem
    from evonas.report.nonlinearity import nonlinearity_sentences
    from evonas.runtime.threads import torch_threads

    context = SearchProblem(make_settings(**problem)).context()
    own = context.skeleton  # what the data decide
    frame = frame.replace(resolution=own.resolution, in_channels=own.in_channels, classes=own.classes)
    context = replace(context, skeleton=frame)
    with torch_threads(context.threads):
        profile = explain_architecture(context, architecture, images=images, repeats=repeats, neighbors=neighbors)
    console = _console()
    table = Table(title="nonlinearity up to the end of each stage", title_justify="left")
    for heading in ("stage", "NLC", "product of activations", "activations in a row"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for one in profile.stages:
        table.add_row(one.stage, f"{one.nlc:.3f}", f"{one.product:.3f}", str(one.depth))
    console.print(table)
    for line in nonlinearity_sentences(profile):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if run is not None:
        keep_profile(run, context.space.canonical(architecture), profile)
        typer.echo(f"Kept in {run}: evonas report {run} draws it", err=True)
    return profile


def _console() -> Any:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = 160
    return console


def _show_model(path: str, resolution: str | None, among: str | None) -> None:
    from rich.table import Table

    from evonas.errors import SettingsError
    from evonas.files.size import parse_size
    from evonas.report.describe_model import describe_model

    try:
        size = None if resolution is None else parse_size(resolution)
    except ValueError as error:
        raise SettingsError(f"--resolution: {error}") from error
    described = describe_model(path, size, among)
    console = _console()
    shapes = ", ".join("×".join(map(str, shape)) for shape in described.shapes)
    table = Table(title=f"{path}: operations on {shapes}", title_justify="left")
    table.add_column("operation")
    table.add_column("how many", justify="right")
    table.add_column("FLOPs", justify="right")
    for name, count, flops in described.operations:
        table.add_row(name, f"{count:,}", f"{flops:,}")
    console.print(table)
    for label, value in (
        ("FLOPs", f"{described.flops:,}"),
        ("Parameters", f"{described.parameters:,}"),
        ("Memory", f"{described.memory:,} bytes of activations at the peak, one image in float32"),
        *(("", note) for note in described.notes),
    ):
        text = f"{label:<12}{value}" if label else value
        console.print(text, highlight=False, markup=False, soft_wrap=True)


def _show_space(space: Space) -> None:
    from rich.table import Table

    from evonas.report.describe import candidates, skeleton_rows, sort_choices

    console = _console()

    def say(line: str) -> None:
        console.print(line, highlight=False, markup=False, soft_wrap=True)

    say(f"{space.name}: a space of the {space.family} family")
    say(f"Source      {space.definition.source}")
    say(f"Size        {space.size:,}" + (f" (about {space.size:.1e})" if space.size >= 10**9 else ""))
    say(f"Counts      {space.counts}")
    say(f"Candidates  {'; '.join(candidates(space))}")
    table = Table(title=f"{len(space.choices)} choices", title_justify="left")
    for heading in ("choice", "how many"):
        table.add_column(heading, no_wrap=True)
    for choices in sort_choices(space):
        table.add_row(choices.name, str(choices))
    console.print(table)
    rows = skeleton_rows(space)
    table = Table(title="skeletons", title_justify="left")
    for heading in rows[0]:
        table.add_column(heading.replace("_", " "))
    for row in rows:
        table.add_row(*(" ".join(map(str, v)) if isinstance(v, tuple) else str(v) for v in row.values()))
    console.print(table)


def _show_architecture(space: Space, architecture: Architecture, frame: Skeleton, name: str) -> None:
    from rich.table import Table

    from evonas.objectives import Context
    from evonas.objectives.cost.cost import CostEvaluator

    console = _console()
    console.print(str(architecture), highlight=False, markup=False, soft_wrap=True)
    canonical = space.canonical(architecture)
    evaluator = CostEvaluator(Context(space, frame))
    table = Table(
        title=f"cost on skeleton '{name}': {'×'.join(map(str, frame.shape))} images, {frame.classes} classes",
        title_justify="left",
    )
    table.add_column("")
    table.add_column("FLOPs", justify="right")
    table.add_column("parameters", justify="right")
    for label, one in (("as written", architecture), ("canonical, what a search counts", canonical)):
        flops, parameters = evaluator.cost(one)
        table.add_row(label, f"{flops:,}", f"{parameters:,}")
    console.print(table)
    say = "One multiply-add of convolutions and linear layers is one FLOP; norms, pooling and upsampling are free."
    console.print(say, highlight=False, markup=False, soft_wrap=True)
