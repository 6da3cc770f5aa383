"""Deploying: a member becomes a folder with a checked, measured ONNX model."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from onnx.defs import onnx_opset_version

from evonas.data import Dataset, Part
from evonas.deployment.access_log import log_access
from evonas.deployment.card import render
from evonas.deployment.card_content import card_content
from evonas.deployment.check import Figures, compare, load_again
from evonas.deployment.deployment import MODEL, Deployment, cost_of_int8, words_of_cost
from evonas.deployment.folder import refuse_content, whole_folder
from evonas.deployment.member import NORM_IMAGES, has_supernet, inherit
from evonas.deployment.model import UnitInput, load_model, model_files, to_json
from evonas.deployment.quantize import check_calibration
from evonas.deployment.quantize import quantize as to_int8
from evonas.deployment.trained import Trained, trained_models
from evonas.errors import ExportError, RunError, SettingsError, suggest
from evonas.files.progress import Progress, ProgressTask, Silent
from evonas.networks import Network
from evonas.objectives import Context
from evonas.pipeline.context import run_context
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.selection import Selection, choose
from evonas.runtime import Parity, device_fingerprint, export, measure_models, save
from evonas.runtime import describe as describe_device
from evonas.runtime.checks import set_metadata
from evonas.runtime.export import OLDEST_OPSET, OPSET
from evonas.spaces import load_space
from evonas.tasks import Task, make_task
from evonas.version import __version__

if TYPE_CHECKING:
    import onnx

CALIBRATION = 512
"""Validation images that int8 is calibrated on; fewer where there are fewer."""
REPEATS, SECONDS = 200, 10.0
"""Timed calls of each model, and the time after which no further round of them begins."""


def deploy(
    run: Run | str | Path,
    select: str = "knee",
    out: str | Path | None = None,
    *,
    quantize: Literal["int8"] | None = None,
    opset: int = OPSET,
    dynamic_batch: bool = True,
    max_drop: float = 1.0,
    threads: int = 1,
    tolerance: float | None = None,
    progress: Progress | None = None,
) -> Deployment:
    """Write a folder with a self-contained ONNX model of a member, checked, measured and described.

    Weights are those of the member's latest training, else those it inherits from the supernet, batch-norm
    statistics estimated again; nothing is trained here.

    Args:
        run: A run that ended, open or by path.
        select: As `choose` takes it.
        out: Folder to make; it may exist if it is empty. Default: one in the run's ``models/``.
        quantize: ``"int8"``: weights and activations of 8 bits, calibrated on validation images.
        opset: ONNX operator set, 11 or more.
        dynamic_batch: Leave the batch open; else it is 1.
        max_drop: What int8 may cost, 0 or more: percentage points of test accuracy; of another task, per cent by which
            its primary measure may get worse.
        threads: Threads that the latency is measured with.
        tolerance: Largest difference of an output from torch in float64, above 0. Default: what the rounding of
            float32 explains (`evonas.runtime.parity.Parity.limit`).
        progress: Shows how far it is.

    Raises:
        ExportError: The model fails a check, differs from torch by more than rounding explains, costs too much
            in int8, cannot be calibrated or written, or something is at `out`; nothing is left there.
        EvonasError: No such member, no front, or neither trained nor shared weights.
    """
    if quantize not in (None, "int8"):
        raise SettingsError(f"Expected int8 to quantize to, got '{quantize}'.{suggest(str(quantize), ['int8'])}")
    if not max_drop >= 0:
        raise SettingsError(f"Expected --max-drop of 0 percentage points or more, got {max_drop:g}")
    newest = onnx_opset_version()
    if not OLDEST_OPSET <= opset <= newest:
        raise SettingsError(
            f"Expected --opset of {OLDEST_OPSET}, the oldest that is written, to {newest}, the newest that the "
            f"installed onnx knows, got {opset}"
        )
    if tolerance is not None and not 0 < tolerance < math.inf:
        raise SettingsError(f"Expected --tolerance above 0, got {tolerance:g}")
    if threads < 1:
        raise SettingsError(f"Expected 1 thread or more, got {threads}")
    if out is not None:
        refuse_content(Path(out))
    with _opened(run) as source:
        front = read_front(source)
        choice = choose(front, load_space(source.settings["space"]), select)
        trained = next(iter(trained_models(source, choice)), None)
        if trained is None and not has_supernet(source):
            raise RunError(
                f"{select:.60} was not trained and {source.path} has no supernet to inherit weights from: run  "
                f"evonas train {shlex.quote(str(source.path))} --select {shlex.quote(select)} --weights fresh  first"
            )
        context = run_context(source, with_supernet=trained is None)
        with (progress or Silent()).task("Deploying", 7 if quantize else 5) as task:
            work = _Work(
                source, choice, trained, context, task, quantize is not None, opset, dynamic_batch, threads, tolerance
            )
            return work.deploy(work.default_out() if out is None else Path(out), max_drop)


@dataclass
class _Work:
    """One deployment, step by step."""

    run: Run
    choice: Selection
    trained: Trained | None
    context: Context
    task: ProgressTask
    eight_bits: bool
    opset: int
    dynamic_batch: bool
    threads: int
    tolerance: float | None

    @cached_property
    def data(self) -> Dataset:
        """The run's data, at the resolution that the member chose where its space lets it."""
        data = self.context.data
        assert data is not None
        return data.at(self.choice.architecture.resolution or data.resolution)

    @cached_property
    def target(self) -> Task:
        """What the network was trained for."""
        return make_task(self.data)

    @property
    def output(self) -> str:
        """Name of the model's output."""
        return "logits" if self.target.compares_classes else "values"

    def default_out(self) -> Path:
        """Return the default folder in the run's ``models/``."""
        weights = f"{self.choice.key}-supernet" if self.trained is None else self.trained.folder.name
        return self.run.path / "models" / f"{weights}-{'int8' if self.eight_bits else 'onnx'}"

    def deploy(self, out: Path, max_drop: float) -> Deployment:
        """Do all steps; the folder appears when the last has succeeded."""
        calibration = self.calibration()
        with whole_folder(out) as draft:
            network, words = self.weights()
            module = UnitInput(network, self.data.mean, self.data.std, self.target.readout()).eval()
            self.task.advance(1, "exporting")
            models = [self.export(module)]
            self.task.advance(1, "comparing with torch on validation images, then on every test image")
            self.require_parity(self.compare(module, models[0], self.data.search))
            log_access(self.run, "deploy", self.choice.text)  # read once the model is known to be right
            seen = [self.compare(module, models[0], self.data.test)]
            self.require_parity(seen[0])
            if calibration is not None:
                self.task.advance(1, "calibrating int8")
                models.append(to_int8(models[0], calibration))
                self.task.advance(1, "comparing int8 with torch")
                seen.append(self.compare(module, models[1], self.data.test))
                self.refuse_drop(seen, max_drop)
            self.task.advance(1, "loading it in a fresh process")
            set_metadata(models[-1], self.metadata(words, self.accuracy(seen[-1])))
            file = save(models[-1], draft / MODEL)
            fresh = load_again(
                file,
                seen[-1],
                self.data.test,
                scale=self.data.scale,
                tolerance=self.tolerance,
                classes=self.target.compares_classes,
            )
            self.task.advance(1, "measuring latency")
            timings = measure_models(models, threads=self.threads, repeats=REPEATS, seconds=SECONDS)
            figures = [
                Figures(
                    accuracy=self.accuracy(parity),
                    torch_accuracy=self.measure(seen[0].torch_logits),
                    images=len(self.data.test),
                    error=parity.error,
                    torch_error=parity.torch_error,
                    agreement=parity.agreement,
                    ties=parity.ties,
                    latency=timing,
                    threads=self.threads,
                    size=model.ByteSize(),
                    peak_memory=fresh.peak_memory if model is models[-1] else 0,
                    own_memory=fresh.own_memory if model is models[-1] else 0,
                )
                for model, parity, timing in zip(models, seen, timings, strict=True)
            ]
            deployment = Deployment(
                folder=out,
                run=self.run.path,
                selection=self.choice.selection,
                architecture=self.choice.text,
                trained=self.trained,
                weights=words,
                figures=figures[-1],
                float_figures=figures[0] if self.eight_bits else None,
                calibration=0 if calibration is None else len(calibration),
                opset=self.opset,
                dynamic_batch=self.dynamic_batch,
                measure=self.target.primary,
                direction=self.target.direction,
                classes=self.report(seen[-1].logits),
                measured_on=describe_device(device_fingerprint(threads=self.threads)),
            )
            card = card_content(deployment, run=self.run, choice=self.choice, network=network, context=self.context)
            for name, content in model_files(network, self.data).items():
                (draft / name).write_bytes(content)
            (draft / "card.json").write_text(to_json(card), encoding="utf-8")
            (draft / "README.md").write_text(render(card), encoding="utf-8")
        self.task.advance(1)
        return deployment

    def calibration(self) -> np.ndarray | None:
        """Return the images that int8 is calibrated on, of both validation parts where one is too small."""
        if not self.eight_bits:
            return None
        images = torch.cat([self.data.search.images, self.data.report.images])[:CALIBRATION]
        check_calibration(len(images))
        return (images.cpu().float() / self.data.scale).numpy()

    def weights(self) -> tuple[Network, str]:
        """Return the network with its weights, on the CPU, and where they come from."""
        if self.trained is not None:
            network = load_model(self.trained.folder)
            assert isinstance(network, Network)
            return network, f"trained: {self.trained.how}"
        images = min(NORM_IMAGES, len(self.data.train))
        words = f"inherited from the supernet, batch-norm statistics re-estimated on {images} images; not trained"
        return inherit(self.context, self.choice.architecture).cpu(), words

    def export(self, module: UnitInput) -> onnx.ModelProto:
        """Return the float32 model; the exporter and its checks see to names, batch, opset and validity."""
        side = self.data.resolution
        example = torch.zeros(2 if self.dynamic_batch else 1, self.data.in_channels, side, side)
        names = (self.output,)
        model = export(module, example, output_names=names, dynamic_batch=self.dynamic_batch, opset=self.opset)
        assert not isinstance(model, Path)
        return model

    def compare(self, module: UnitInput, model: onnx.ModelProto, part: Part) -> Parity:
        """Compare a model with torch on every image of a part."""
        return compare(module, model, part, scale=self.data.scale)

    def require_parity(self, seen: Parity) -> None:
        """Raise `ExportError` unless the float32 model agrees with torch."""
        try:
            seen.require(tolerance=self.tolerance, classes=self.target.compares_classes)
        except ExportError as error:
            raise ExportError(f"Parity failed, nothing was written: {error}") from None

    def accuracy(self, parity: Parity) -> float:
        """Return the test accuracy, or the primary measure of another task, of an ONNX model that was compared."""
        return self.measure(parity.logits)

    def measure(self, outputs: np.ndarray) -> float:
        """Return the primary measure of outputs over the test part."""
        return self.target.deployed().metric(torch.from_numpy(outputs), self.data.test.labels.cpu())

    def report(self, outputs: np.ndarray) -> Mapping[str, Any] | None:
        """Return what the task reports of outputs over the test part beside its measures."""
        return self.target.deployed().report(torch.from_numpy(outputs), self.data.test.labels.cpu())

    def refuse_drop(self, seen: list[Parity], max_drop: float) -> None:
        """Raise `ExportError` where int8 costs more than allowed."""
        before, after = map(self.accuracy, seen)
        n, name = len(self.data.test), self.target.primary
        drop = cost_of_int8(name, self.target.direction, before, after, n)
        if not drop <= max_drop:
            raise ExportError(
                f"{words_of_cost(name, drop)} ({before:.4f} to {after:.4f} on {n:,} test images), more than "
                f"--max-drop {max_drop:g}; nothing was written: deploy without --quantize, or allow more"
            )

    def metadata(self, words: str, accuracy: float) -> dict[str, str]:
        """Return the texts that travel inside the file."""
        data, kind = self.data, "classes" if self.target.compares_classes else "targets"
        side = f"{data.in_channels}x{data.resolution}x{data.resolution}"
        return {
            kind: json.dumps(list(data.classes), ensure_ascii=False),
            "space": self.context.space.name,
            "architecture": self.choice.text,
            "input_size": side,
            "input": f"images: float32, (batch, {side.replace('x', ', ')}), values in [0, 1]; normalized inside",
            "output": f"{self.output}: float32, (batch, {kind})",
            self.target.primary: repr(accuracy),
            f"{self.target.primary}_by": f"onnxruntime on the {len(data.test)} test images of {data.name}",
            "weights": words,
            "precision": "int8" if self.eight_bits else "float32",
            "producer": f"evonas {__version__}",
        }


@contextmanager
def _opened(run: Run | str | Path) -> Iterator[Run]:
    """Give an open run; one that was opened here is closed again."""
    if isinstance(run, Run):
        yield run
        return
    with Run.open(run) as opened:
        yield opened
