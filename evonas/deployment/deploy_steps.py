"""Steps of a deployment: export, comparison with torch, smaller forms, measuring, and what is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from evonas.data import Dataset, Part
from evonas.data.preprocessing import preprocessing_of
from evonas.data.skipped import skipped_sentence
from evonas.deployment.access_log import log_access
from evonas.deployment.card import render
from evonas.deployment.card_content import card_content
from evonas.deployment.check import Figures, compare, load_again
from evonas.deployment.comparison import make_comparison
from evonas.deployment.compression.compress import Comparison, compress
from evonas.deployment.compression.qat import fine_tune
from evonas.deployment.compression.variant import Compression, Variant
from evonas.deployment.deploy_options import DeployOptions
from evonas.deployment.deployment import MODEL, VARIANTS, Deployment, cost_of_rounding, words_of_cost
from evonas.deployment.folder import whole_folder
from evonas.deployment.isolated_check import Fresh
from evonas.deployment.member import inherit
from evonas.deployment.model import PREPROCESS, load_model, model_files, to_json
from evonas.deployment.noted_outputs import as_taken, noise_pixels, noted_outputs
from evonas.deployment.preprocessing_graph import check_inside, photo_settings, settings_text, with_preprocessing
from evonas.deployment.trained import Trained
from evonas.deployment.trust.content import trust_content
from evonas.deployment.trust.temper import FittedTemperature, fit_on_unseen, refuse_other_answers, unseen_images
from evonas.deployment.trust.withstood import NONE, read_trust
from evonas.errors import ExportError
from evonas.files.progress import Progress, ProgressTask
from evonas.files.size import height_width
from evonas.files.standalone import standalone
from evonas.networks import Network
from evonas.networks.unit_input import Tempered, UnitInput
from evonas.objectives import Context
from evonas.runs.run import Run
from evonas.runs.selection import Selection
from evonas.runtime import Parity, device_fingerprint, export, measure_models, save
from evonas.runtime import describe as describe_device
from evonas.runtime.checks import set_metadata
from evonas.runtime.threads import torch_threads
from evonas.supernet.evaluate import NORM_IMAGES
from evonas.tasks import Task, make_task
from evonas.version import __version__

if TYPE_CHECKING:
    import onnx

SCRIPTS = {
    "predict.py": "evonas.deployment.predict_alone",
    "benchmark.py": "evonas.deployment.benchmark_alone",
}
"""Scripts beside the model, which need no evonas, and the modules that they are the text of."""
REPEATS, SECONDS = 200, 10.0
"""Timed calls of each model, and the time after which no further round of them begins."""


@dataclass(frozen=True, eq=False)
class WrittenModel:
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
class DeploySteps:
    """One deployment, step by step."""

    run: Run
    choice: Selection
    trained: Trained | None
    context: Context
    options: DeployOptions
    task: ProgressTask
    progress: Progress
    folded: FittedTemperature | None = field(default=None, kw_only=True)

    @cached_property
    def data(self) -> Dataset:
        """The run's data, at the resolution that the member chose where its space lets it."""
        data = self.context.data
        assert data is not None
        return data.at(self.choice.architecture.resolution or data.resolution)

    @cached_property
    def preprocessing(self) -> dict[str, Any]:
        """What a photo becomes."""
        return photo_settings(preprocessing_of(self.data), inside=self.options.inside)

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
        kind = "onnx" if self.options.quantize == "none" else self.options.quantize
        return self.run.path / "models" / f"{weights}-{kind}"

    def deploy(self, out: Path) -> Deployment:
        """Do all steps; the folder appears when the last has succeeded."""
        if self.options.inside:
            check_inside(self.preprocessing, self.options.opset)
        comparison = None if self.options.quantize == "none" else make_comparison(self.data, self.target)
        with whole_folder(out) as draft:
            network, words = self.weights()
            temperature = self.temperature(network)
            self.folded = temperature if self.options.calibrate else None
            module = self.wrapped(network, self.folded)
            self.task.advance(1, "exporting")
            single = self.export(module)
            if self.folded is not None:
                parts = (self.data.search, self.data.report, self.data.test)
                refuse_other_answers(self.export(self.wrapped(network, None)), single, parts, self.data.scale)
            self.task.advance(1, "comparing with torch on validation images, then on every test image")
            self.require_parity(self.compare(module, single, self.data.search))
            log_access(self.run, "deploy", self.choice.text, self.progress)  # read once the model is known to be right
            seen = self.compare(module, single, self.data.test)
            self.require_parity(seen)
            tried, written = self.compress(module, single, seen, comparison)
            trust = self.trust(module, written[0], temperature)
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
                opset=self.options.opset,
                dynamic_batch=self.options.open_batch,
                measure=self.target.primary,
                direction=self.target.direction,
                classes=self.report(written[0].seen.logits),
                classifies=self.classifies,
                skipped=skipped_sentence(test_skipped, "test images") if test_skipped else "",
                measured_on=describe_device(device_fingerprint(threads=self.options.threads))
                + (", without preprocessing" if self.options.inside else ""),
                preprocessing=self.preprocessing,
                target=self.options.aim.report(
                    draft / MODEL, as_taken(noise_pixels(self.preprocessing), self.preprocessing)
                ),
                check=noted_outputs(draft / MODEL, self.preprocessing),
                trust=trust,
            )
            card = self.card(deployment, network)
            for name, content in self.files(network).items():
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                (draft / name).write_bytes(content)
            (draft / PREPROCESS).write_text(to_json(self.preprocessing), encoding="utf-8")
            for name, module_name in SCRIPTS.items():
                (draft / name).write_text(standalone(module_name), encoding="utf-8")
            (draft / "card.json").write_text(to_json(card), encoding="utf-8")
            (draft / "README.md").write_text(render(card), encoding="utf-8")
        self.task.advance(1)
        return deployment

    def compress(
        self, module: UnitInput, single: onnx.ModelProto, seen: Parity, comparison: Comparison | None
    ) -> tuple[Compression | None, list[WrittenModel]]:
        """Return all forms that were tried, and what is written or reported on: the chosen one first."""
        if comparison is None:
            return None, [WrittenModel(single, "float32", seen, MODEL)]
        options, most = self.options, f"{self.options.max_drop:g}"
        tuned = self.tuned(module)
        self.task.advance(1, "trying smaller forms")
        tried = compress(
            single,
            comparison,
            options.quantize,
            max_drop=options.max_drop,
            edges=options.edges,
            tuned=tuned,
            threads=options.threads,
            forms=options.aim.forms,
        )
        self.task.advance(1, "comparing them with torch")

        def compared(variant: Variant, file: str | None) -> WrittenModel:
            if variant.precision == "float32":
                return WrittenModel(single, "float32", seen, file)
            return WrittenModel(
                variant.model, variant.precision, self.compare(module, variant.model, self.data.test), file
            )

        chosen = compared(tried.chosen, MODEL)
        if chosen.reduced and (words := self.too_costly(seen, chosen)):
            if options.quantize != "auto":
                raise ExportError(
                    f"{words}, more than --max-drop {most}; nothing was written: deploy without --quantize, or allow "
                    "more"
                )
            # What was chosen without the test part does not hold on it: what needs no choice is written.
            note = f"{words} on the test part, more than --max-drop {most}: float32 was written instead"
            return tried.withdrawn(note), [WrittenModel(single, "float32", seen, MODEL)]
        written = [chosen]
        for other in tried.others:
            one = compared(other, f"{VARIANTS}/{other.file_name}")
            if one.reduced and (words := self.too_costly(seen, one)):
                tried = tried.without(other, f"{other.file_name}: {words} on the test part; not written")
            else:
                written.append(one)
        if all(one.reduced for one in written):
            written.append(WrittenModel(single, "float32", seen, None))  # what all is compared with
        return tried, written

    def tuned(self, exact: UnitInput) -> onnx.ModelProto | None:
        """Return the model of the network after quantization-aware fine-tuning; None: none was asked for."""
        if not self.options.qat:
            return None
        network = exact.network
        assert isinstance(network, Network)
        self.task.advance(0, f"fine-tuning for int8, {self.options.qat} epochs")
        with torch_threads(self.context.threads):
            seed = self.context.seed if self.trained is None else int(self.trained.record["seed"])
            tuned = fine_tune(network, self.data, self.options.qat, seed=seed, device=self.context.device)
        module = UnitInput(tuned, self.data.mean, self.data.std, deepcopy(exact.readout)).eval()
        model = self.export(module)
        self.require_parity(self.compare(module, model, self.data.search))
        return model

    def write(self, draft: Path, one: WrittenModel, words: str) -> Fresh | None:
        """Write a model, load it in a fresh process and hold it against what was seen here."""
        if one.file is None:
            return None
        model = with_preprocessing(one.model, self.preprocessing) if self.options.inside else deepcopy(one.model)
        set_metadata(model, self.metadata(words, self.accuracy(one.seen), one.precision))
        (draft / one.file).parent.mkdir(exist_ok=True)
        self.options.aim.refuse(model, one.precision)
        file = save(model, draft / one.file)
        return load_again(
            file,
            one.seen,
            self.data.test,
            scale=self.data.scale,
            tolerance=self.options.tolerance,
            classes=self.classifies,
        )

    def figures(
        self, written: list[WrittenModel], fresh: list[Fresh | None], single: Parity, draft: Path
    ) -> list[Figures]:
        """Return the figures of models, timed side by side."""
        models = [one.model for one in written]
        timings = measure_models(models, threads=self.options.threads, repeats=REPEATS, seconds=SECONDS)
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
                threads=self.options.threads,
                size=(draft / one.file).stat().st_size if one.file else one.model.ByteSize(),
                peak_memory=0 if alone is None else alone.peak_memory,
                own_memory=0 if alone is None else alone.own_memory,
            )
            for one, alone, timing in zip(written, fresh, timings, strict=True)
        ]

    def card(self, deployment: Deployment, network: nn.Module) -> dict[str, Any]:
        """Return the content of ``card.json``."""
        assert isinstance(network, Network)
        return card_content(deployment, run=self.run, choice=self.choice, network=network, context=self.context)

    def files(self, network: nn.Module) -> dict[str, bytes]:
        """Return the files that `load_model` rebuilds the network from, by path in the folder."""
        assert isinstance(network, Network)
        return model_files(network, self.data, self.folded)

    def weights(self) -> tuple[nn.Module, str]:
        """Return the network with its weights, on the CPU, and where they come from."""
        if self.trained is not None:
            network = load_model(self.trained.folder)
            assert isinstance(network, Network)
            return network, f"trained: {self.trained.how}"
        images = min(NORM_IMAGES, len(self.data.train))
        words = f"inherited from the supernet, batch-norm statistics re-estimated on {images} images; not trained"
        return inherit(self.context, self.choice.architecture).cpu(), words

    def wrapped(self, network: nn.Module, temperature: float | None) -> UnitInput:
        """Return a network that takes images in [0, 1] and gives what its task reads out, or logits over a number."""
        readout = self.target.head.readout() if temperature is None else Tempered(temperature)
        return UnitInput(network, self.data.mean, self.data.std, readout).eval()

    def unseen(self) -> Part | None:
        """Return validation images that the weights were not trained on; None: there are none."""
        return unseen_images(self.data, self.trained)

    def temperature(self, network: nn.Module) -> FittedTemperature | None:
        """Return the temperature of the network's logits; None where nothing asks for it, or nothing is left to fit on.

        Raises:
            ExportError: One is to be folded in, but all images were trained on, or the outputs are no logits.
        """
        if not self.classifies and self.options.calibrate:
            raise ExportError(f"--calibrate is for classification, but these data are for {self.target.title}")
        if not self.classifies or (self.options.trust == NONE and not self.options.calibrate):
            return None
        found = fit_on_unseen(self.wrapped(network, None), self.data, self.unseen())
        if found is None and self.options.calibrate:
            raise ExportError(
                "--calibrate fits a temperature on images that were not trained on, and of these there are none: train "
                "again with  evonas train --hold-out 0.1"
            )
        return found

    def trust(self, module: UnitInput, one: WrittenModel, temperature: FittedTemperature | None) -> Mapping[str, Any]:
        """Return the table of trust; empty where none was asked for, or of another task."""
        if self.options.trust == NONE or not self.classifies:
            return {}
        self.task.advance(0, "seeing how far to trust it")
        return trust_content(
            one.model,
            module,
            self.data,
            one.seen.logits,
            read_trust(self.options.trust),
            temperature=temperature,
            folded=self.options.calibrate,
            classes=self.data.classes,
            seed=self.context.seed,
        )

    def export(self, module: UnitInput) -> onnx.ModelProto:
        """Return the float32 model; the exporter and its checks see to names, batch, opset and validity."""
        sides = height_width(self.data.resolution)
        example = torch.zeros(2 if self.options.open_batch else 1, self.data.in_channels, *sides)
        names = (self.output,)
        model = export(
            module, example, output_names=names, dynamic_batch=self.options.open_batch, opset=self.options.opset
        )
        assert not isinstance(model, Path)
        return model

    def compare(self, module: UnitInput, model: onnx.ModelProto, part: Part) -> Parity:
        """Compare a model with torch on every image of a part."""
        return compare(module, model, part, scale=self.data.scale)

    def require_parity(self, seen: Parity) -> None:
        """Raise `ExportError` unless the float32 model agrees with torch."""
        try:
            seen.require(tolerance=self.options.tolerance, classes=self.classifies)
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

    def too_costly(self, single: Parity, one: WrittenModel) -> str:
        """Return in words what fewer bits cost on the test part where that is more than allowed, else nothing."""
        before, after = self.accuracy(single), self.accuracy(one.seen)
        n, name = len(self.data.test), self.target.primary
        drop = cost_of_rounding(name, self.target.direction, before, after, n)
        if drop <= self.options.max_drop:
            return ""
        return f"{words_of_cost(one.precision, name, drop)} ({before:.4f} to {after:.4f} on {n:,} test images)"

    def metadata(self, words: str, accuracy: float, precision: str) -> dict[str, str]:
        """Return the texts that travel inside the file."""
        data, kind = self.data, "classes" if self.classifies else "targets"
        side = "x".join(map(str, (data.in_channels, *height_width(data.resolution))))
        return {
            kind: json.dumps(list(data.classes), ensure_ascii=False),
            "space": self.context.space.name,
            "architecture": self.choice.text,
            "input_size": side,
            "input": f"images: uint8, (batch, height, width, {data.in_channels}), any size"
            if self.options.inside
            else f"images: float32, (batch, {side.replace('x', ', ')}), values in [0, 1]; normalized inside",
            "preprocess": settings_text(self.preprocessing),
            "output": f"{self.output}: float32, (batch, {kind})",
            self.target.primary: repr(accuracy),
            f"{self.target.primary}_by": f"onnxruntime on the {len(data.test)} test images of {data.name}",
            "weights": words,
            "precision": precision,
            "producer": f"evonas {__version__}",
        }
