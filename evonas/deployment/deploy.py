"""Deploying: a member becomes a folder with a checked, measured ONNX model."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from evonas.deployment.compression.compress import Ends, Quantize
from evonas.deployment.deploy_options import DeployOptions
from evonas.deployment.deploy_steps import DeploySteps
from evonas.deployment.deployment import Deployment
from evonas.deployment.folder import refuse_content
from evonas.deployment.member import has_supernet
from evonas.deployment.target import TargetName
from evonas.deployment.trained import trained_models
from evonas.deployment.trust.withstood import CALIBRATION
from evonas.errors import ExportError, RunError
from evonas.files.progress import Progress, Silent
from evonas.pipeline.context import run_context
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.selection import choose
from evonas.runtime.export import OPSET
from evonas.spaces import load_space


def deploy(
    run: Run | str | Path,
    select: str = "knee",
    out: str | Path | None = None,
    *,
    quantize: Quantize | None = None,
    edges: Ends = "auto",
    qat: int = 0,
    opset: int = OPSET,
    target: TargetName = "cpu",
    dynamic_batch: bool | None = None,
    max_drop: float = 1.0,
    threads: int = 1,
    tolerance: float | None = None,
    data: str | None = None,
    table: Sequence[str] = (),
    preprocessing: Literal["outside", "inside"] = "outside",
    trust: str = CALIBRATION,
    calibrate: bool = False,
    progress: Progress | None = None,
) -> Deployment:
    """Write a folder with a self-contained ONNX model of a member, checked, measured and described.

    Weights are those of the member's latest training, else those it inherits from the supernet, batch-norm
    statistics estimated again; nothing is trained here but with `qat`.

    Args:
        run: A run that ended, open or by path.
        select: As `choose` takes it.
        out: Folder to make; it may exist if it is empty. Default: one in the run's ``models/``.
        quantize: ``"int8"``: weights and activations of 8 bits, calibrated on validation images; ``"int8-weights"`` and
            ``"fp16"``: weights stored so, computed with in float32; ``"auto"``: whichever of these pays, the others on
            the front of accuracy, size and latency in the folder ``variants/``; None or ``"none"``: float32.
        edges: Whether the first and the last layer run on integers in int8: ``"int8"``, ``"float"``, or ``"auto"``:
            whichever is better.
        qat: Epochs of quantization-aware fine-tuning on the training part, 0 or more, from which further int8 forms
            are made.
        opset: ONNX operator set, 11 or more.
        target: What it is deployed to: decides which operations and precisions are taken, and whose checker is asked.
        dynamic_batch: Leave the batch open; else it is 1. None: as the target takes it.
        max_drop: What fewer bits may cost, 0 or more: percentage points of accuracy, on the validation images that
            variants are compared on and on the test part; of another task, per cent by which its primary measure may
            get worse.
        threads: Threads that the latency is measured with.
        tolerance: Largest difference of an output from torch in float64, above 0. Default: what the rounding of
            float32 explains (`evonas.runtime.parity.Parity.limit`).
        data: Where the run's data are now, which must be the same; None: where they were.
        table: Where the run's table is now; empty: where it was.
        preprocessing: ``"inside"``: the model takes uint8 photos, (n, height, width, channels), of any size, and
            resizes, crops and scales them itself; needs opset 18. Latency is measured without that.
        trust: What the table of trust in the card holds beside calibration: ``calibration``: nothing; ``standard``:
            attacks, those of the extra ``robust`` among them where it is installed; names such as
            ``pgd@4/255x20r5,square``; ``none``: no table.
        calibrate: Divide the logits by a temperature, fitted on validation images that were not trained on, so that
            confidence is nearer to the share of right answers; no answer changes, which is checked on every image.
        progress: Shows how far it is.

    Raises:
        ExportError: The model fails a check, differs from torch by more than rounding explains, costs too much
            in fewer bits or is worse in every figure, cannot be calibrated or written, or something is at `out`;
            nothing is left there.
        EvonasError: No such member, no front, or neither trained nor shared weights.
    """
    options = DeployOptions(
        quantize or "none",
        edges,
        qat,
        opset,
        target,
        dynamic_batch,
        max_drop,
        threads,
        tolerance,
        preprocessing == "inside",
        trust,
        calibrate,
    )
    options.check(preprocessing)
    if out is not None:
        refuse_content(Path(out))
    with _opened(run) as source:
        source.relocate(data, table)
        front = read_front(source)
        choice = choose(front, load_space(source.settings["space"]), select)
        trained = next(iter(trained_models(source, choice)), None)
        if trained is None and not has_supernet(source):
            raise RunError(
                f"{select:.60} was not trained and {source.path} has no supernet to inherit weights from: run  "
                f"evonas train {shlex.quote(str(source.path))} --select {shlex.quote(select)} --weights fresh  first"
            )
        context = run_context(source, with_supernet=trained is None)
        if not context.skeleton.head:
            raise ExportError(
                f"Networks of {source.path} have no classifier (--skeleton {source.settings['skeleton']}): nothing "
                "that they say could be used; search on a skeleton with one"
            )
        progress = progress or Silent()
        with progress.task("Deploying", 5 if options.quantize == "none" else 7) as task:
            steps = DeploySteps(source, choice, trained, context, options, task, progress)
            return steps.deploy(steps.default_out() if out is None else Path(out))


@contextmanager
def _opened(run: Run | str | Path) -> Iterator[Run]:
    """Give an open run; one that was opened here is closed again."""
    if isinstance(run, Run):
        yield run
        return
    with Run.open(run) as opened:
        yield opened
