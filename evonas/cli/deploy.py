"""``evonas deploy``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.options import MEMBER, NewData, NewTable, Quiet

if TYPE_CHECKING:
    from evonas.deployment.deploy_front import FrontDeployment


def deploy(
    run: Annotated[Path, typer.Argument(help="The run directory.")],
    select: Annotated[str, typer.Option(help=f"{MEMBER}; or front: all.")] = "knee",
    out: Annotated[Path | None, typer.Option(help="Folder to make. [default: one in RUN/models/]")] = None,
    quantize: Annotated[
        str,
        typer.Option(
            help="none; int8: weights and activations of 8 bits; int8-weights, fp16: weights stored so; auto: what "
            "pays in accuracy, size and latency."
        ),
    ] = "none",
    edges: Annotated[str, typer.Option(help="First and last layer of int8: int8, float, or auto, the better.")] = (
        "auto"
    ),
    qat: Annotated[
        int, typer.Option(min=0, help="Epochs of quantization-aware fine-tuning, for further forms of int8.")
    ] = 0,
    max_drop: Annotated[
        float, typer.Option(help="Points of accuracy that fewer bits may cost; per cent of another measure.")
    ] = 1.0,
    opset: Annotated[int, typer.Option(help="ONNX operator set, 11 or more.")] = 18,
    target: Annotated[str, typer.Option(help="What it is for: cpu, mobile, tensorrt or openvino.")] = "cpu",
    fixed_batch: Annotated[bool, typer.Option("--fixed-batch", help="One image per call.")] = False,
    threads: Annotated[int, typer.Option(min=1, help="Threads that latency is measured with.")] = 1,
    tolerance: Annotated[
        float | None, typer.Option(help="Largest difference from torch. [default: what float32's rounding explains]")
    ] = None,
    data: NewData = None,
    table: NewTable = None,
    preprocessing: Annotated[
        str, typer.Option(help="outside, or inside: the model resizes, crops and scales photos of any size.")
    ] = "outside",
    trust: Annotated[
        str,
        typer.Option(
            help="Table of trust in the card: calibration; standard: attacks too; names such as pgd@4/255x20r5,square; "
            "or none."
        ),
    ] = "calibration",
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Divide logits by a temperature, so that confidence means more.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write a member as an ONNX model, checked against torch on every test image, measured and described."""
    from evonas.runs.run import Run

    with Run.open(run) as opened:  # a wrong path ends here, before anything heavy is imported
        manifest = opened.manifest
    from evonas.cli.progress import make_progress
    from evonas.cli.stopping import words_when_stopped
    from evonas.report.cards import knee_warning
    from evonas.runs.selection import check_selection

    check_selection(run, select)
    for line in knee_warning(manifest, select):
        typer.echo(line, err=True)
    from evonas.deployment import Deployment, deployment_summary
    from evonas.deployment.deploy import deploy
    from evonas.deployment.deploy_front import deploy_front, front_deployment_summary

    def one_or_all(**options: Any) -> Deployment | FrontDeployment:
        return deploy_front(run, out, **options) if select == "front" else deploy(run, select, out, **options)

    stopped = "Stopped; nothing was written." if select != "front" else "Stopped; members deployed before stand."
    with words_when_stopped(lambda: stopped):
        deployment = one_or_all(
            quantize=quantize,
            edges=edges,
            qat=qat,
            opset=opset,
            target=target,
            dynamic_batch=False if fixed_batch else None,
            max_drop=max_drop,
            threads=threads,
            tolerance=tolerance,
            data=data,
            table=table or (),
            preprocessing=preprocessing,
            trust=trust,
            calibrate=calibrate,
            progress=make_progress(quiet),
        )
    if isinstance(deployment, Deployment):
        typer.echo("\n".join(deployment_summary(deployment)))
        return
    typer.echo("\n".join(front_deployment_summary(deployment)))
    raise typer.Exit(3 if deployment.refused else 0)
