"""Deploying: a member becomes a folder with a checked, measured ONNX model."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from onnx.defs import onnx_opset_version

from evonas.data import Dataset, Part
from evonas.data.preprocessing import preprocessing_of
from evonas.data.skipped import skipped_sentence
from evonas.deployment.access_log import log_access
from evonas.deployment.card import render
from evonas.deployment.card_content import card_content
from evonas.deployment.check import Figures, compare, load_again
from evonas.deployment.compression.compress import ENDS, QUANTIZE, Ends, Judge, Quantize, compress, halves
from evonas.deployment.compression.qdq import check_opset
from evonas.deployment.compression.variant import Compression, Variant
from evonas.deployment.deployment import MODEL, VARIANTS, Deployment, cost_of_rounding, words_of_cost
from evonas.deployment.folder import refuse_content, whole_folder
from evonas.deployment.isolated_check import Fresh
from evonas.deployment.member import has_supernet, inherit
from evonas.deployment.model import PREPROCESS, UnitInput, load_model, model_files, to_json
from evonas.deployment.preprocessing_graph import check_inside, photo_settings, settings_text, with_preprocessing
from evonas.deployment.trained import Trained, trained_models
from evonas.errors import ExportError, RunError, SettingsError, suggest
from evonas.files.progress import Progress, ProgressTask, Silent
from evonas.files.standalone import standalone
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
from evonas.supernet.evaluate import NORM_IMAGES
from evonas.tasks import Task, make_task
from evonas.version import __version__

if TYPE_CHECKING:
    import onnx

PREPROCESSING = ("outside", "inside")
"""Where a photo is resized, cropped and scaled: before the model, or in it."""
SCRIPTS = {
    "predict.py": "evonas.deployment.predict_alone",
    "benchmark.py": "evonas.deployment.benchmark_alone",
}
"""Scripts beside the model, which need no evonas, and the modules that they are the text of."""
REPEATS, SECONDS = 200, 10.0
"""Timed calls of each model, and the time after which no further round of them begins."""


def deploy(
    run: Run | str | Path,
    select: str = "knee",
    out: str | Path | None = None,
    *,
    quantize: Quantize | None = None,
    edges: Ends = "auto",
    opset: int = OPSET,
    dynamic_batch: bool = True,
    max_drop: float = 1.0,
    threads: int = 1,
    tolerance: float | None = None,
    data: str | None = None,
    table: Sequence[str] = (),
    preprocessing: Literal["outside", "inside"] = "outside",
    progress: Progress | None = None,
) -> Deployment:
    """Write a folder with a self-contained ONNX model of a member, checked, measured and described.

    Weights are those of the member's latest training, else those it inherits from the supernet, batch-norm
    statistics estimated again; nothing is trained here.

    Args:
        run: A run that ended, open or by path.
        select: As `choose` takes it.
        out: Folder to make; it may exist if it is empty. Default: one in the run's ``models/``.
        quantize: ``"int8"``: weights and activations of 8 bits, calibrated on validation images; ``"int8-weights"`` and
            ``"fp16"``: weights stored so, computed with in float32; ``"auto"``: whichever of these pays, the others on
            the front of accuracy, size and latency in the folder ``variants/``; None or ``"none"``: float32.
        edges: Whether the first and the last layer run on integers in int8: ``"int8"``, ``"float"``, or ``"auto"``:
            whichever is better.
        opset: ONNX operator set, 11 or more.
        dynamic_batch: Leave the batch open; else it is 1.
        max_drop: What fewer bits may cost, 0 or more: percentage points of accuracy, on the validation images that
            variants are judged on and on the test part; of another task, per cent by which its primary measure may get
            worse.
        threads: Threads that the latency is measured with.
        tolerance: Largest difference of an output from torch in float64, above 0. Default: what the rounding of
            float32 explains (`evonas.runtime.parity.Parity.limit`).
        data: Where the run's data are now, which must be the same; None: where they were.
        table: Where the run's table is now; empty: where it was.
        preprocessing: ``"inside"``: the model takes uint8 photos, (n, height, width, channels), of any size, and
            resizes, crops and scales them itself; needs opset 18. Latency is measured without that.
        progress: Shows how far it is.

    Raises:
        ExportError: The model fails a check, differs from torch by more than rounding explains, costs too much
            in fewer bits or is worse in every figure, cannot be calibrated or written, or something is at `out`;
            nothing is left there.
        EvonasError: No such member, no front, or neither trained nor shared weights.
    """
    quantize = quantize or "none"
    for name, value, allowed in (("--quantize", quantize, QUANTIZE), ("--edges", edges, ENDS)):
        if value not in allowed:
            raise SettingsError(f"Expected {name} {', '.join(allowed)}, got '{value}'.{suggest(value, allowed)}")
    if not max_drop >= 0:
        raise SettingsError(f"Expected --max-drop of 0 percentage points or more, got {max_drop:g}")
    newest = onnx_opset_version()
    if not OLDEST_OPSET <= opset <= newest:
        raise SettingsError(
            f"Expected --opset of {OLDEST_OPSET}, the oldest that is written, to {newest}, the newest that the "
            f"installed onnx knows, got {opset}"
        )
    if quantize == "int8":
        check_opset(opset)
    if preprocessing not in PREPROCESSING:
        raise SettingsError(
            f"Expected --preprocessing {' or '.join(PREPROCESSING)}, got '{preprocessing}'."
            f"{suggest(preprocessing, PREPROCESSING)}"
        )
    if tolerance is not None and not 0 < tolerance < math.inf:
        raise SettingsError(f"Expected --tolerance above 0, got {tolerance:g}")
    if threads < 1:
        raise SettingsError(f"Expected 1 thread or more, got {threads}")
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
        progress = progress or Silent()
        with progress.task("Deploying", 5 if quantize == "none" else 7) as task:
            work = _Work(
                source, choice, trained, context, task, quantize, edges, opset, dynamic_batch, threads, tolerance,
                max_drop, progress, preprocessing == "inside",
            )  # fmt: skip
            return work.deploy(work.default_out() if out is None else Path(out))


@dataclass(frozen=True, eq=False)
class _Written:
    """A model that is written or reported on: what it is, how it compares, and its file in the folder, if any."""

    model: onnx.ModelProto
    precision: str
    seen: Parity
    file: str | None

    @property
    def reduced(self) -> bool:
        """Whether it has fewer bits than the float32 model."""
        return self.precision != "float32"


@dataclass
class _Work:
    """One deployment, step by step."""

    run: Run
    choice: Selection
    trained: Trained | None
    context: Context
    task: ProgressTask
    quantize: Quantize
    edges: Ends
    opset: int
    dynamic_batch: bool
    threads: int
    tolerance: float | None
    max_drop: float
    progress: Progress
    inside: bool

    @cached_property
    def data(self) -> Dataset:
        """The run's data, at the resolution that the member chose where its space lets it."""
        data = self.context.data
        assert data is not None
        return data.at(self.choice.architecture.resolution or data.resolution)

    @cached_property
    def preprocessing(self) -> dict[str, Any]:
        """What a photo becomes."""
        return photo_settings(preprocessing_of(self.data), inside=self.inside)

    @cached_property
    def target(self) -> Task:
        """What the network was trained for."""
        return make_task(self.data)

    @property
    def output(self) -> str:
        """Name of the model's output."""
        return "logits" if self.classifies else "values"

    @property
    def classifies(self) -> bool:
        """Whether the model gives one output for each class, of which the largest is the answer."""
        return self.target.head.answer == "class"

    def default_out(self) -> Path:
        """Return the default folder in the run's ``models/``."""
        weights = f"{self.choice.key}-supernet" if self.trained is None else self.trained.folder.name
        return self.run.path / "models" / f"{weights}-{'onnx' if self.quantize == 'none' else self.quantize}"

    def deploy(self, out: Path) -> Deployment:
        """Do all steps; the folder appears when the last has succeeded."""
        if self.inside:
            check_inside(self.preprocessing, self.opset)
        judge = self.judge()
        with whole_folder(out) as draft:
            network, words = self.weights()
            module = UnitInput(network, self.data.mean, self.data.std, self.target.head.readout()).eval()
            self.task.advance(1, "exporting")
            single = self.export(module)
            self.task.advance(1, "comparing with torch on validation images, then on every test image")
            self.require_parity(self.compare(module, single, self.data.search))
            log_access(self.run, "deploy", self.choice.text, self.progress)  # read once the model is known to be right
            seen = self.compare(module, single, self.data.test)
            self.require_parity(seen)
            tried, written = self.compress(module, single, seen, judge)
            self.task.advance(1, "loading it in a fresh process")
            fresh = [self.write(draft, one, words) for one in written]
            self.task.advance(1, "measuring latency")
            figures = self.figures(written, fresh, seen, draft)
            single_figures = next((f for one, f in zip(written, figures, strict=True) if not one.reduced), None)
            test_skipped = self.data.test_skipped
            deployment = Deployment(
                folder=out,
                run=self.run.path,
                selection=self.choice.selection,
                architecture=self.choice.text,
                trained=self.trained,
                weights=words,
                figures=figures[0],
                float_figures=single_figures if written[0].reduced else None,
                precision=written[0].precision,
                compression=tried,
                others={one.file: f for one, f in zip(written[1:], figures[1:], strict=True) if one.file},
                opset=self.opset,
                dynamic_batch=self.dynamic_batch,
                measure=self.target.primary,
                direction=self.target.direction,
                classes=self.report(written[0].seen.logits),
                classifies=self.classifies,
                skipped=skipped_sentence(test_skipped, "test images") if test_skipped else "",
                measured_on=describe_device(device_fingerprint(threads=self.threads))
                + (", without preprocessing" if self.inside else ""),
                preprocessing=self.preprocessing,
            )
            card = card_content(deployment, run=self.run, choice=self.choice, network=network, context=self.context)
            for name, content in model_files(network, self.data).items():
                (draft / name).write_bytes(content)
            (draft / PREPROCESS).write_text(to_json(self.preprocessing), encoding="utf-8")
            for name, module_name in SCRIPTS.items():
                (draft / name).write_text(standalone(module_name), encoding="utf-8")
            (draft / "card.json").write_text(to_json(card), encoding="utf-8")
            (draft / "README.md").write_text(render(card), encoding="utf-8")
        self.task.advance(1)
        return deployment

    def judge(self) -> Judge | None:
        """Return what smaller forms are judged by: one half of the validation images, ranges being measured on the
        other."""
        if self.quantize == "none":
            return None
        images = torch.cat([self.data.search.images, self.data.report.images])
        labels = torch.cat([self.data.search.labels, self.data.report.labels]).cpu()
        measured, judged = halves(len(images))
        task, targets = self.target.deployed(), labels[judged]

        def unit(part: slice) -> np.ndarray:
            return (images[part].cpu().float() / self.data.scale).numpy()

        def cost(before: float, after: float) -> float:
            return cost_of_rounding(self.target.primary, self.target.direction, before, after, len(targets))

        def measure(outputs: np.ndarray) -> float:
            return task.metric(torch.from_numpy(outputs), targets)

        return Judge(
            unit(measured), unit(judged), measure, self.target.primary, self.target.direction, cost
        )  # fmt: skip

    def compress(
        self, module: UnitInput, single: onnx.ModelProto, seen: Parity, judge: Judge | None
    ) -> tuple[Compression | None, list[_Written]]:
        """Return all forms that were tried, and what is written or reported on: the chosen one first."""
        if judge is None:
            return None, [_Written(single, "float32", seen, MODEL)]
        self.task.advance(1, "trying smaller forms")
        tried = compress(
            single, judge, self.quantize, max_drop=self.max_drop, edges=self.edges, threads=self.threads
        )  # fmt: skip
        self.task.advance(1, "comparing them with torch")

        def compared(variant: Variant, file: str | None) -> _Written:
            if variant.precision == "float32":
                return _Written(single, "float32", seen, file)
            return _Written(variant.model, variant.precision, self.compare(module, variant.model, self.data.test), file)

        chosen = compared(tried.chosen, MODEL)
        others = [compared(other, f"{VARIANTS}/{other.file_name}") for other in tried.others]
        if chosen.reduced and (words := self.too_costly(seen, chosen)):
            if self.quantize != "auto":
                raise ExportError(
                    f"{words}, more than --max-drop {self.max_drop:g}; nothing was written: deploy without --quantize, "
                    "or allow more"
                )
            # What was chosen without the test part does not hold on it: what needs no choice is written.
            note = f"{words} on the test part, more than --max-drop {self.max_drop:g}: float32 was written instead"
            return tried.withdrawn(note), [_Written(single, "float32", seen, MODEL)]
        written = [chosen, *others]
        if all(one.reduced for one in written):
            written.append(_Written(single, "float32", seen, None))  # what all is compared with
        return tried, written

    def write(self, draft: Path, one: _Written, words: str) -> Fresh | None:
        """Write a model, load it in a fresh process and hold it against what was seen here."""
        if one.file is None:
            return None
        model = with_preprocessing(one.model, self.preprocessing) if self.inside else deepcopy(one.model)
        set_metadata(model, self.metadata(words, self.accuracy(one.seen), one.precision))
        (draft / one.file).parent.mkdir(exist_ok=True)
        file = save(model, draft / one.file)
        return load_again(
            file,
            one.seen,
            self.data.test,
            scale=self.data.scale,
            tolerance=self.tolerance,
            classes=self.classifies,
        )

    def figures(self, written: list[_Written], fresh: list[Fresh | None], single: Parity, draft: Path) -> list[Figures]:
        """Return the figures of models, timed side by side."""
        models = [one.model for one in written]
        timings = measure_models(models, threads=self.threads, repeats=REPEATS, seconds=SECONDS)
        return [
            Figures(
                accuracy=self.accuracy(one.seen),
                torch_accuracy=self.measure(single.torch_logits),
                images=len(self.data.test),
                error=one.seen.error,
                torch_error=one.seen.torch_error,
                agreement=one.seen.agreement,
                ties=one.seen.ties,
                latency=timing,
                threads=self.threads,
                size=(draft / one.file).stat().st_size if one.file else one.model.ByteSize(),
                peak_memory=0 if alone is None else alone.peak_memory,
                own_memory=0 if alone is None else alone.own_memory,
            )
            for one, alone, timing in zip(written, fresh, timings, strict=True)
        ]

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
            seen.require(tolerance=self.tolerance, classes=self.classifies)
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

    def too_costly(self, single: Parity, one: _Written) -> str:
        """Return in words what fewer bits cost on the test part where that is more than allowed, else nothing."""
        before, after = self.accuracy(single), self.accuracy(one.seen)
        n, name = len(self.data.test), self.target.primary
        drop = cost_of_rounding(name, self.target.direction, before, after, n)
        if drop <= self.max_drop:
            return ""
        return f"{words_of_cost(one.precision, name, drop)} ({before:.4f} to {after:.4f} on {n:,} test images)"

    def metadata(self, words: str, accuracy: float, precision: str) -> dict[str, str]:
        """Return the texts that travel inside the file."""
        data, kind = self.data, "classes" if self.classifies else "targets"
        side = f"{data.in_channels}x{data.resolution}x{data.resolution}"
        return {
            kind: json.dumps(list(data.classes), ensure_ascii=False),
            "space": self.context.space.name,
            "architecture": self.choice.text,
            "input_size": side,
            "input": f"images: uint8, (batch, height, width, {data.in_channels}), any size"
            if self.inside
            else f"images: float32, (batch, {side.replace('x', ', ')}), values in [0, 1]; normalized inside",
            "preprocess": settings_text(self.preprocessing),
            "output": f"{self.output}: float32, (batch, {kind})",
            self.target.primary: repr(accuracy),
            f"{self.target.primary}_by": f"onnxruntime on the {len(data.test)} test images of {data.name}",
            "weights": words,
            "precision": precision,
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
