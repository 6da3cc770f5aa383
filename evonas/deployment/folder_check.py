"""Check of a deployed folder, on the machine that made it or another: what its card notes, measured again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evonas.config import make_settings
from evonas.data import Dataset, Part, load_data
from evonas.deployment.check import CHUNK
from evonas.deployment.deployment import MODEL
from evonas.deployment.isolated_check import run_fresh
from evonas.deployment.model import load_model
from evonas.deployment.noted_outputs import as_taken, noise_pixels
from evonas.deployment.verification import Verification, VerifiedNumber
from evonas.errors import EvonasError, ExportError
from evonas.files.size import make_size
from evonas.pipeline.defaults import data_options
from evonas.runtime import describe, device_fingerprint, logits, measure_models, session
from evonas.runtime.parity import compare_outputs, outputs
from evonas.tasks import make_task

__all__ = ["CARD", "is_deployed", "read_card", "verify_folder"]

CARD = "card.json"
INT8_SHARE = 0.05
"""Share of the outputs' standard deviation that int8 may move by: processors without 8-bit dot products saturate."""
FLOAT_SHARE = 1e-3
"""Likewise where arithmetic is in float32: far above rounding, far below a change of class."""
MADS = 3
"""Median absolute deviations that a latency may move by on the same device."""
REPEATS, SECONDS = 200, 10.0
"""Timed calls of each session, and the seconds after which no further round begins."""
MEBIBYTE = 2**20


def is_deployed(path: Path) -> bool:
    """Return whether a path is a deployed folder."""
    return (path / CARD).is_file() and (path / MODEL).is_file()


def verify_folder(folder: str | Path, *, trained: bool = False, data: str | None = None) -> Verification:
    """Measure a deployed model again: its file, its outputs, what torch makes of its weights, memory and latency.

    Neither the run nor the data need be there. Latency and memory are compared where the device is the one of the card,
    else shown.

    Args:
        folder: As `deploy` made it; nothing is written there.
        trained: Read the test part again, too.
        data: Where the data are now; None: where they were.

    Raises:
        ExportError: No deployed folder, a damaged card, or a model that does not run.
        RunError: Weights that no network can be rebuilt from.
    """
    folder = Path(folder)
    return _FolderCheck(folder, read_card(folder)).measure(trained, data)


def read_card(folder: Path) -> dict[str, Any]:
    """Return the content of a deployed folder's card.

    Raises:
        ExportError: There is none, or it is damaged or of an earlier version.
    """
    if not is_deployed(folder):
        raise ExportError(f"Expected a deployed model in {folder}, but it has no {MODEL} with a {CARD}: name another")
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
        card["model"]["precision"], card["figures"], card["architecture"]["text"], card["preprocessing"]["size"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(f"The card {folder / CARD} is damaged ({error!r}): deploy the member again") from None
    if "check" not in card:
        raise ExportError(f"The card {folder / CARD} notes no outputs to compare with: deploy the member again")
    return card


@dataclass
class _FolderCheck:
    """A deployed folder and what its card notes."""

    folder: Path
    card: dict[str, Any]

    @cached_property
    def noted(self) -> dict[str, dict[str, Any]]:
        """Figures by name."""
        return {figure["name"]: figure for figure in self.card["figures"]}

    @property
    def file(self) -> Path:
        """The ONNX file."""
        return self.folder / MODEL

    @property
    def settings(self) -> dict[str, Any]:
        """What a photo becomes."""
        found: dict[str, Any] = self.card["preprocessing"]
        return found

    @property
    def precision(self) -> str:
        """Of the model."""
        return str(self.card["model"]["precision"])

    @property
    def same_device(self) -> bool:
        """Whether this is the device that the card's latencies were measured on."""
        here = describe(device_fingerprint(threads=int(self.card["model"]["threads"])))
        return here in self.noted["latency, median"]["by"]

    def measure(self, trained: bool, data: str | None) -> Verification:
        """Return what was measured, and what was not and why."""
        skipped: dict[str, str] = {}
        numbers = [*self.of_file()]
        if self.precision == "float32":
            numbers.append(self.against_torch())
        else:
            skipped["error against torch"] = f"{self.precision} differs from torch by design"
        if self.settings["inside"]:
            skipped["latency, median"] = "it was measured without the preprocessing that is inside this file"
        else:
            numbers.append(self.latency())
        numbers += self.memory()
        if not trained:
            skipped["test part"] = "an access to the test part; --trained makes one"
            return Verification(numbers, skipped)
        try:
            images = self.data(data)
        except EvonasError as error:
            skipped["test part"] = " ".join(str(error).split())
        else:
            numbers.append(self.on_test_part(images))
        return Verification(numbers, skipped)

    def of_file(self) -> Iterator[VerifiedNumber]:
        """Yield the size of the file, and how far its outputs on noise are from those noted."""
        yield self.number("size", self.noted["size"]["value"], self.file.stat().st_size, 0.0, "the file")
        before = np.asarray(self.card["check"]["outputs"], dtype=np.float64)
        now = logits(self.file, as_taken(noise_pixels(self.settings), self.settings))
        if before.shape != now.shape:
            raise ExportError(
                f"Expected outputs of shape {before.shape} as the card's, got {now.shape}: another model's file"
            )
        share = INT8_SHARE if self.precision == "int8" else FLOAT_SHARE
        by = f"onnxruntime on {len(now)} images of noise, against those noted; {share:g} standard deviations"
        yield self.number("change of outputs", 0.0, float(np.abs(now - before).max()), share * float(before.std()), by)

    def against_torch(self) -> VerifiedNumber:
        """Return how far the file's outputs on noise are from those of torch in float64 with the folder's weights."""
        module = load_model(self.folder, unit_input=True)
        pixels = noise_pixels(self.settings)
        images = torch.from_numpy(pixels.astype(np.float32) / np.float32(self.settings["levels"]))
        found = compare_outputs(
            logits(self.file, as_taken(pixels, self.settings)),
            outputs(module, images, torch.float32),
            outputs(module, images, torch.float64),
        )
        by = "torch in float64 from weights.safetensors, on noise; what rounding explains"
        return self.number("error against torch", 0.0, found.error, found.limit, by)

    def latency(self) -> VerifiedNumber:
        """Return the latency, measured twice; on another device than the card's it may differ by anything."""
        threads, same = int(self.card["model"]["threads"]), self.same_device
        first, second = measure_models([self.file, self.file], threads=threads, repeats=REPEATS, seconds=SECONDS)
        mad = max(self.noted["latency, MAD"]["value"], first.mad_ms, second.mad_ms)
        noise = max(MADS * mad, abs(first.median_ms - second.median_ms))
        by = f"onnxruntime, twice, {_where(same)}; {MADS} median absolute deviations or what the two differ by"
        now, name = (first.median_ms + second.median_ms) / 2, "latency, median"
        return self.number(name, self.noted[name]["value"], now, noise if same else math.inf, by)

    def memory(self) -> Iterator[VerifiedNumber]:
        """Yield what memory the model takes in a fresh process beyond the libraries; nothing where none was noted."""
        name = "peak memory above that of the libraries"
        if name not in self.noted:
            return
        before, same = self.noted[name]["value"], self.same_device
        fresh = run_fresh(self.file, noise_pixels(self.settings), scale=self.settings["levels"])
        if fresh.peak_memory:
            by = f"a fresh process with onnxruntime alone, {_where(same)}; half of it, for pages come as they do"
            yield self.number(name, before, fresh.own_memory, before / 2 + MEBIBYTE if same else math.inf, by)

    def on_test_part(self, data: Dataset) -> VerifiedNumber:
        """Return the task's measure on the test part of the data that it was deployed with."""
        deployed = make_task(data).deployed()
        found = torch.from_numpy(self.outputs(data.test))
        now = deployed.metric(found, data.test.labels.cpu())
        name = next(key for key in self.noted if key.startswith("test ") and key.endswith(f" of {MODEL}"))
        before, images = float(self.noted[name]["value"]), len(data.test)
        if "same class as torch" not in self.noted:
            noise, by = 0.01 * abs(before), "test part; a hundredth"
        elif self.precision == "int8":
            noise, by = math.sqrt(before * (1 - before) / images), "test part; binomial standard error"
        else:
            noise, by = (1 + self.noted["ties among the others"]["value"]) / images, "test part; one image and ties"
        return self.number(name, before, now, noise, by)

    def outputs(self, part: Part) -> np.ndarray:
        """Return the file's outputs on all images of a part."""
        opened = session(self.file)
        chunks = torch.split(part.images, CHUNK)
        return np.concatenate([logits(opened, as_taken(one.cpu().numpy(), self.settings)) for one in chunks])

    def data(self, where: str | None) -> Dataset:
        """Return the data of the card, at the model's resolution.

        Raises:
            EvonasError: They are gone, or have changed.
        """
        noted = self.card["data"]
        # A run that was made before an option existed has none: what it is then is what it was.
        stored = {
            "anchors": 0,
            "rare": "keep",
            **self.card["search"]["settings"],
            "space": str(self.folder / "space.toml"),
        }
        settings = make_settings(**stored | ({} if where is None else {"data": where}))
        normalization = self.card["model"]["normalization"]
        # Statistics were those of the images, or those that published weights were trained with.
        for statistics in (None, (normalization["mean"], normalization["std"])):
            data = load_data(
                settings.data or "digits",
                resolution=noted["resolution"],
                limit=settings.train_limit,
                validation=settings.validation,
                seed=settings.seed,
                channels=self.settings["channels"],
                statistics=statistics,
                options=data_options(settings),
            )
            if data.fingerprint == noted["fingerprint"]:
                return data.at(make_size(*map(int, self.settings["size"])))
        raise ExportError(f"the data in {settings.data or 'digits'} are others than those that it was deployed with")

    def number(self, name: str, before: float, now: float, noise: float, by: str) -> VerifiedNumber:
        """Return one number of this model, which is on no front."""
        return VerifiedNumber(
            None, self.card["architecture"]["text"], name, float(before), float(now), float(noise), by
        )


def _where(same: bool) -> str:
    return "the card's device" if same else "another device than the card's: for comparison"
